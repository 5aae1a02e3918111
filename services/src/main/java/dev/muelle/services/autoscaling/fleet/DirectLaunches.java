package dev.muelle.services.autoscaling.fleet;

import dev.muelle.services.Ids;
import dev.muelle.services.StoredJson;
import dev.muelle.services.autoscaling.activity.Activities;
import dev.muelle.services.autoscaling.launch.Recipes;
import dev.muelle.services.autoscaling.state.Causes;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Member;
import dev.muelle.services.autoscaling.state.Refuse;
import dev.muelle.services.autoscaling.state.ScalingProcess;
import dev.muelle.store.Codec;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingGroup;
import software.amazon.awssdk.services.autoscaling.model.InstanceCollection;
import software.amazon.awssdk.services.autoscaling.model.LaunchInstancesError;
import software.amazon.awssdk.services.autoscaling.model.LaunchInstancesRequest;
import software.amazon.awssdk.services.autoscaling.model.LaunchInstancesResponse;
import software.amazon.awssdk.services.autoscaling.model.RetryStrategy;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;

/**
 * Launches instances for a group while the caller waits, in the one place that it names; the group
 * desires so many more. What becomes of them is the group's usual business, also if the server dies
 * before the answer: a repetition under the same token gives what there is.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/launch-instances-synchronously.html">Launch
 *     instances synchronously</a>
 */
public final class DirectLaunches {

  private static final int MOST = 100;
  private static final Duration KEPT = Duration.ofDays(1);
  private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9\\-_/]{1,64}");
  private static final String ON_DEMAND = "OnDemand";

  private static final Codec<LaunchInstancesRequest> REQUEST =
      StoredJson.codec(LaunchInstancesRequest.class);

  /**
   * A launch, under its group's name and the caller's token.
   *
   * @param request without the token, for comparison
   * @param members by token
   */
  private record Done(String request, String subnet, List<String> members, Instant at) {}

  private static final Table<Done> TABLE =
      Table.of("autoscaling.launches", StoredJson.codec(Done.class));

  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final Ec2Client ec2;
  private final Observer observer;
  private final Arrivals arrivals;
  private final Hands hands;
  private final Consumer<String> wake;

  public DirectLaunches(
      Store store,
      InstantSource clock,
      Ids ids,
      Ec2Client ec2,
      ElasticLoadBalancingV2Client elb,
      Observer observer,
      Recipes recipes,
      Activities activities,
      Consumer<String> wake) {
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.ec2 = ec2;
    this.observer = observer;
    this.arrivals = new Arrivals(ids, activities);
    this.hands = new Hands(store, clock, ec2, elb, recipes, activities);
    this.wake = wake;
  }

  /** A refusal by EC2. */
  private record Failure(Member slot, AwsServiceException why) {}

  public LaunchInstancesResponse launch(LaunchInstancesRequest request) {
    int count = Refuse.required("requestedCapacity", request.requestedCapacity());
    Refuse.unlessWithin("requestedCapacity", count, 1, MOST);
    String token = token(request);
    boolean again = again(request);
    String name = request.autoScalingGroupName();
    GroupRecord group = store.read(tx -> GroupRecord.changeable(tx, name));
    if (group.group().launchConfigurationName() != null) {
      throw Refuse.invalid(
          "LaunchInstances needs an Auto Scaling group with a launch template; launch"
              + " configurations are not supported.");
    }
    Place place = place(group, request);
    Done done = store.write(tx -> decide(tx, request, token, place, count));
    List<Failure> failures = new ArrayList<>();
    for (String one : done.members()) {
      Optional<Member> slot = store.read(tx -> tx.get(Member.TABLE, one)).map(Row::value);
      slot.filter(member -> member.id() == null)
          .flatMap(member -> hands.attempt(group, member).map(why -> new Failure(member, why)))
          .ifPresent(failures::add);
    }
    if (!failures.isEmpty() && !again) {
      store.write(tx -> GroupRecord.find(tx, name).map(now -> less(now, failures.size()).put(tx)));
    }
    wake.accept(group.name());
    return answer(group, token, done, failures);
  }

  private String token(LaunchInstancesRequest request) {
    String token = request.clientToken() == null ? ids.uuid() : request.clientToken();
    if (!TOKEN.matcher(token).matches()) {
      throw Refuse.invalid(
          "1 validation error detected: Value '"
              + token
              + "' at 'clientToken' failed to satisfy constraint: Member must satisfy regular"
              + " expression pattern: "
              + TOKEN);
    }
    return token;
  }

  /** Whether what fails is tried again, wherever the group may launch. */
  private static boolean again(LaunchInstancesRequest request) {
    if (request.retryStrategy() == RetryStrategy.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.invalid(
          "RetryStrategy is one of none and retry-with-group-configuration, not "
              + request.retryStrategyAsString());
    }
    return request.retryStrategy() == RetryStrategy.RETRY_WITH_GROUP_CONFIGURATION;
  }

  private Place place(GroupRecord group, LaunchInstancesRequest request) {
    if (request.availabilityZones().size() > 1
        || request.availabilityZoneIds().size() > 1
        || request.subnetIds().size() > 1) {
      throw Refuse.invalid("At most one Availability Zone and one subnet can be specified.");
    }
    if (!request.availabilityZones().isEmpty() && !request.availabilityZoneIds().isEmpty()) {
      throw Refuse.invalid("You cannot specify both AvailabilityZones and AvailabilityZoneIds.");
    }
    List<Place> all = observer.places(group);
    List<Place> meant =
        all.stream()
            .filter(one ->
                request.availabilityZones().isEmpty()
                    || request.availabilityZones().contains(one.zone()))
            .filter(
                one -> request.subnetIds().isEmpty() || request.subnetIds().contains(one.subnet()))
            .filter(one ->
                request.availabilityZoneIds().isEmpty()
                    || request.availabilityZoneIds().contains(zoneId(one.subnet())))
            .toList();
    if (meant.isEmpty()) {
      throw Refuse.invalid(
          "The Availability Zone or subnet is none of the Auto Scaling group "
              + group.name()
              + ".");
    }
    if (meant.stream().map(Place::zone).distinct().count() > 1) {
      throw Refuse.invalid(
          "The Auto Scaling group "
              + group.name()
              + " has several Availability Zones: an Availability Zone or a subnet must be"
              + " specified.");
    }
    List<Member> members = store.read(tx -> Member.live(tx, group.name()));
    return Zones.next(meant, members, group.failedSubnets()).orElseThrow();
  }

  private String zoneId(String subnet) {
    List<Subnet> found = ec2.describeSubnets(r -> r.subnetIds(subnet)).subnets();
    return found.getFirst().availabilityZoneId();
  }

  private Done decide(Tx tx, LaunchInstancesRequest request, String token, Place place, int count) {
    GroupRecord group = GroupRecord.changeable(tx, request.autoScalingGroupName());
    Instant now = clock.instant();
    for (Row<Done> row : tx.list(TABLE)) {
      if (row.value().at().isBefore(now.minus(KEPT))) {
        tx.delete(TABLE, row.key());
      }
    }
    String key = group.name() + ":" + token; // a group's name has no colon
    String asked =
        new String(
            REQUEST.encode(request.toBuilder().clientToken("").build()), StandardCharsets.UTF_8);
    Optional<Done> before = tx.get(TABLE, key).map(Row::value);
    if (before.isPresent()) {
      if (!before.get().request().equals(asked)) {
        throw Refuse.otherParameters(token);
      }
      return before.get();
    }
    if (!ScalingProcess.LAUNCH.runs(group.group())) {
      throw Refuse.invalid("The Launch process of the Auto Scaling group is suspended.");
    }
    AutoScalingGroup g = group.group();
    int desired = g.desiredCapacity() + count;
    if (desired > g.maxSize()) {
      throw Refuse.invalid(
          "The desired capacity "
              + desired
              + " would be above max value "
              + g.maxSize()
              + " for the AutoScalingGroup.");
    }
    GroupRecord larger = group.with(b -> b.desiredCapacity(desired)).changed(now).put(tx);
    String cause = Causes.direct(now, g.desiredCapacity(), desired);
    List<String> members = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      members.add(arrivals.launch(tx, larger, place, cause, false, now).token());
    }
    Done done = new Done(asked, place.subnet(), members, now);
    tx.put(TABLE, key, done);
    return done;
  }

  private static GroupRecord less(GroupRecord group, int count) {
    AutoScalingGroup g = group.group();
    int desired = Math.max(g.minSize(), g.desiredCapacity() - count);
    return group.with(b -> b.desiredCapacity(desired));
  }

  private LaunchInstancesResponse answer(
      GroupRecord group, String token, Done done, List<Failure> failures) {
    List<Member> launched =
        store.read(tx ->
            done.members().stream()
                .flatMap(one -> tx.get(Member.TABLE, one).stream())
                .map(Row::value)
                .filter(member -> member.id() != null)
                .toList());
    String zoneId = zoneId(done.subnet());
    List<InstanceCollection> instances = new ArrayList<>();
    if (!launched.isEmpty()) {
      Member first = launched.getFirst();
      instances.add(
          InstanceCollection.builder()
              .instanceType(first.instance().instanceType())
              .marketType(ON_DEMAND)
              .subnetId(first.subnet())
              .availabilityZone(first.zone())
              .availabilityZoneId(zoneId)
              .instanceIds(launched.stream().map(Member::id).map(Objects::requireNonNull).toList())
              .build());
    }
    return LaunchInstancesResponse.builder()
        .autoScalingGroupName(group.name())
        .clientToken(token)
        .instances(instances)
        .errors(failures.stream().map(failure -> told(failure, zoneId)).toList())
        .build();
  }

  private static LaunchInstancesError told(Failure failure, String zoneId) {
    return LaunchInstancesError.builder()
        .marketType(ON_DEMAND)
        .subnetId(failure.slot().subnet())
        .availabilityZone(failure.slot().zone())
        .availabilityZoneId(zoneId)
        .errorCode(failure.why().awsErrorDetails().errorCode())
        .errorMessage(failure.why().awsErrorDetails().errorMessage())
        .build();
  }
}
