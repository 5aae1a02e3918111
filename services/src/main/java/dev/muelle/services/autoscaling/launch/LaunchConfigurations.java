package dev.muelle.services.autoscaling.launch;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Pages;
import dev.muelle.services.autoscaling.state.Refuse;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import software.amazon.awssdk.services.autoscaling.model.CreateLaunchConfigurationRequest;
import software.amazon.awssdk.services.autoscaling.model.CreateLaunchConfigurationResponse;
import software.amazon.awssdk.services.autoscaling.model.DeleteLaunchConfigurationRequest;
import software.amazon.awssdk.services.autoscaling.model.DeleteLaunchConfigurationResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeLaunchConfigurationsRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeLaunchConfigurationsResponse;
import software.amazon.awssdk.services.autoscaling.model.LaunchConfiguration;

/**
 * Launch configurations: what was there before launch templates. They cannot be changed.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/launch-configurations.html">Launch
 *     configurations</a>
 */
public final class LaunchConfigurations {

  public static final int MOST = 200; // the default quota

  private static final Table<LaunchConfiguration> TABLE =
      Table.of("autoscaling.launch_configurations", StoredJson.codec(LaunchConfiguration.class))
          .remember();

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final Recipes recipes;

  public LaunchConfigurations(
      Scope scope, Store store, InstantSource clock, Ids ids, Recipes recipes) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.recipes = recipes;
  }

  static Optional<LaunchConfiguration> find(Tx tx, String name) {
    return tx.get(TABLE, name).map(Row::value);
  }

  /** How many there are. */
  public static long count(Tx tx) {
    return tx.count(TABLE);
  }

  public CreateLaunchConfigurationResponse create(CreateLaunchConfigurationRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of(
            "LaunchConfigurationName",
            "ImageId",
            "SecurityGroups",
            "UserData",
            "InstanceType",
            "IamInstanceProfile",
            "AssociatePublicIpAddress",
            "EbsOptimized",
            "InstanceMonitoring"));
    if (Boolean.TRUE.equals(request.ebsOptimized())) {
      throw Refuse.unsupported("EbsOptimized");
    }
    if (request.instanceMonitoring() != null
        && Boolean.TRUE.equals(request.instanceMonitoring().enabled())) {
      throw Refuse.unsupported("InstanceMonitoring");
    }
    String name = Refuse.required("launchConfigurationName", request.launchConfigurationName());
    Refuse.required("imageId", request.imageId());
    Refuse.required("instanceType", request.instanceType());
    LaunchConfiguration made =
        LaunchConfiguration.builder()
            .launchConfigurationName(name)
            .launchConfigurationARN(
                scope.arn(
                    "autoscaling",
                    "launchConfiguration:" + ids.uuid() + ":launchConfigurationName/" + name))
            .imageId(request.imageId())
            .keyName("")
            .securityGroups(request.securityGroups())
            .classicLinkVPCSecurityGroups(List.of())
            .userData(request.userData() == null ? "" : request.userData())
            .instanceType(request.instanceType())
            .kernelId("")
            .ramdiskId("")
            .blockDeviceMappings(List.of())
            .instanceMonitoring(m -> m.enabled(false))
            .iamInstanceProfile(request.iamInstanceProfile())
            .createdTime(clock.instant())
            .ebsOptimized(false)
            .associatePublicIpAddress(request.associatePublicIpAddress())
            .build();
    recipes.check(made);
    store.write(tx -> {
      if (find(tx, name).isPresent()) {
        throw Refuse.exists(
            "Launch Configuration by this name already exists - A launch configuration already"
                + " exists with the name "
                + name);
      }
      if (tx.count(TABLE) >= MOST) {
        throw Refuse.tooMany("You already have " + MOST + " launch configurations.");
      }
      return tx.insert(TABLE, name, made);
    });
    return CreateLaunchConfigurationResponse.builder().build();
  }

  public DeleteLaunchConfigurationResponse delete(DeleteLaunchConfigurationRequest request) {
    String name = Refuse.required("launchConfigurationName", request.launchConfigurationName());
    store.write(tx -> {
      if (find(tx, name).isEmpty()) {
        throw Refuse.invalid(
            "Launch configuration name not found - Launch configuration " + name + " not found");
      }
      boolean used =
          tx.list(GroupRecord.TABLE).stream()
              .anyMatch(row -> name.equals(row.value().group().launchConfigurationName()));
      if (used) {
        throw Refuse.inUse(
            "Cannot delete launch configuration "
                + name
                + " because it is attached to AutoScalingGroup");
      }
      return tx.delete(TABLE, name);
    });
    return DeleteLaunchConfigurationResponse.builder().build();
  }

  public DescribeLaunchConfigurationsResponse describe(
      DescribeLaunchConfigurationsRequest request) {
    List<LaunchConfiguration> found =
        store.read(tx -> tx.list(TABLE)).stream()
            .map(Row::value)
            .filter(one ->
                request.launchConfigurationNames().isEmpty()
                    || request.launchConfigurationNames().contains(one.launchConfigurationName()))
            .toList();
    Pages<LaunchConfiguration> page =
        Pages.of(
            found,
            LaunchConfiguration::launchConfigurationName,
            request.nextToken(),
            request.maxRecords(),
            50,
            Pages.MOST);
    return DescribeLaunchConfigurationsResponse.builder()
        .launchConfigurations(page.items())
        .nextToken(page.nextToken())
        .build();
  }
}
