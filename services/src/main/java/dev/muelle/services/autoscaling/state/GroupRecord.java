package dev.muelle.services.autoscaling.state;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingGroup;

/**
 * A group as stored: what DescribeAutoScalingGroups shows but for its instances, and what only the
 * loop needs.
 *
 * @param causes why the desired capacity was changed since it was last reached; the activities that
 *     follow say so
 * @param joining target groups that its instances are yet to be put into
 * @param leaving target groups that its instances are being taken out of
 * @param failures launches in a row that failed
 * @param launchAfter when it is tried again; null if the last launch went well
 * @param failedSubnets those in which the last launches failed
 * @param changedAt when an instance last came or went because of the desired capacity: the cooldown
 *     begins there
 * @param cooldown of the simple policy that changed the desired capacity last, in seconds; null for
 *     the group's own
 * @param deleting whether it only waits for its instances to go
 */
public record GroupRecord(
    AutoScalingGroup group,
    List<String> causes,
    List<String> joining,
    List<String> leaving,
    int failures,
    @Nullable Instant launchAfter,
    List<String> failedSubnets,
    @Nullable Instant changedAt,
    @Nullable Integer cooldown,
    boolean deleting) {

  /** By name. */
  public static final Table<GroupRecord> TABLE =
      Table.of("autoscaling.groups", StoredJson.codec(GroupRecord.class)).remember();

  private static final int CAUSES = 5; // of more than that nobody would read

  public GroupRecord {
    causes = List.copyOf(causes);
    joining = List.copyOf(joining);
    leaving = List.copyOf(leaving);
    failedSubnets = List.copyOf(failedSubnets);
  }

  public static GroupRecord of(AutoScalingGroup group) {
    return new GroupRecord(
        group, List.of(), List.of(), List.of(), 0, null, List.of(), null, null, false);
  }

  public static Optional<GroupRecord> find(Tx tx, String name) {
    return tx.get(TABLE, name).map(Row::value);
  }

  /** The group of a request, by its name. */
  public static GroupRecord get(Tx tx, @Nullable String name) {
    String asked = Refuse.required("autoScalingGroupName", name);
    return find(tx, asked)
        .orElseThrow(() ->
            Refuse.invalid(
                "AutoScalingGroup name not found - AutoScalingGroup '" + asked + "' not found"));
  }

  /** The group of a request that would change it. */
  public static GroupRecord changeable(Tx tx, @Nullable String name) {
    GroupRecord found = get(tx, name);
    if (found.deleting()) {
      throw Refuse.invalid(
          "AutoScalingGroup '" + found.name() + "' is pending delete, and cannot be modified.");
    }
    return found;
  }

  public String name() {
    return group.autoScalingGroupName();
  }

  public GroupRecord with(UnaryOperator<AutoScalingGroup.Builder> change) {
    return but(draft -> draft.group = change.apply(group.toBuilder()).build());
  }

  /** With one more reason for what comes, after which the group's own cooldown is kept. */
  public GroupRecord because(String cause) {
    List<String> all = new ArrayList<>(causes);
    all.add(cause);
    return withCauses(all.subList(Math.max(0, all.size() - CAUSES), all.size())).cooling(null);
  }

  /** With a cooldown after what comes; null for the group's own. */
  public GroupRecord cooling(@Nullable Integer seconds) {
    return but(draft -> draft.cooldown = seconds);
  }

  /** How long nothing more is changed after a change, where cooldowns are honoured; in seconds. */
  public int cooldownSeconds() {
    return cooldown == null ? group.defaultCooldown() : cooldown;
  }

  /**
   * Whether an activity is under way, or its cooldown is not over.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scaling-cooldowns.html">Scaling
   *     cooldowns</a>
   */
  public boolean cools(Tx tx, Instant now) {
    boolean busy = Member.live(tx, name()).stream().anyMatch(m -> m.coming() || m.going());
    return busy || (changedAt != null && now.isBefore(changedAt.plusSeconds(cooldownSeconds())));
  }

  public GroupRecord withCauses(List<String> others) {
    return but(draft -> draft.causes = others);
  }

  /** With other target groups to put its instances into, and to take them out of. */
  public GroupRecord withTraffic(List<String> in, List<String> out) {
    return but(draft -> {
      draft.joining = in;
      draft.leaving = out;
    });
  }

  /** After a launch that failed. */
  public GroupRecord failed(String subnet, Instant next) {
    return but(draft -> {
      draft.failures++;
      draft.launchAfter = next;
      draft.failedSubnets = Stream.concat(failedSubnets.stream(), Stream.of(subnet)).toList();
    });
  }

  /** After a launch that went well, or a change that may mend what made it fail. */
  public GroupRecord hopeful() {
    return but(draft -> {
      draft.failures = 0;
      draft.launchAfter = null;
      draft.failedSubnets = List.of();
    });
  }

  public GroupRecord changed(Instant at) {
    return but(draft -> draft.changedAt = at);
  }

  public GroupRecord deleted() {
    return but(draft -> draft.deleting = true)
        .with(g -> g.status("Delete in progress").minSize(0).maxSize(0).desiredCapacity(0));
  }

  /** Writes it down. */
  public GroupRecord put(Tx tx) {
    tx.put(TABLE, name(), this);
    return this;
  }

  /** In the order in which they were given. */
  public List<String> subnets() {
    String given = group.vpcZoneIdentifier();
    return given == null || given.isBlank() ? List.of() : List.of(given.trim().split("\\s*,\\s*"));
  }

  private GroupRecord but(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return draft.done();
  }

  /** One that differs in something from one that there is. */
  private static final class Draft {
    private AutoScalingGroup group;
    private List<String> causes;
    private List<String> joining;
    private List<String> leaving;
    private int failures;
    private @Nullable Instant launchAfter;
    private List<String> failedSubnets;
    private @Nullable Instant changedAt;
    private @Nullable Integer cooldown;
    private boolean deleting;

    Draft(GroupRecord from) {
      group = from.group;
      causes = from.causes;
      joining = from.joining;
      leaving = from.leaving;
      failures = from.failures;
      launchAfter = from.launchAfter;
      failedSubnets = from.failedSubnets;
      changedAt = from.changedAt;
      cooldown = from.cooldown;
      deleting = from.deleting;
    }

    GroupRecord done() {
      return new GroupRecord(
          group,
          causes,
          joining,
          leaving,
          failures,
          launchAfter,
          failedSubnets,
          changedAt,
          cooldown,
          deleting);
    }
  }
}
