package dev.muelle.region;

import dev.muelle.balancer.Balancer;
import dev.muelle.engine.Engine;
import dev.muelle.engine.blob.BlobStore;
import dev.muelle.loop.Timers;
import dev.muelle.network.Network;
import dev.muelle.services.AlarmReceivers;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.InstanceGroups;
import dev.muelle.services.Objects;
import dev.muelle.services.RegionalApis;
import dev.muelle.services.Scope;
import dev.muelle.services.SessionKeys;
import dev.muelle.services.VpcHttp;
import dev.muelle.services.acm.Acm;
import dev.muelle.services.acm.Authority;
import dev.muelle.services.applicationautoscaling.ApplicationAutoScaling;
import dev.muelle.services.arczonalshift.ArcZonalShift;
import dev.muelle.services.autoscaling.AutoScaling;
import dev.muelle.services.cloudwatch.CloudWatch;
import dev.muelle.services.cloudwatch.InstanceActions;
import dev.muelle.services.cloudwatchlogs.CloudWatchLogs;
import dev.muelle.services.ec2.Ec2;
import dev.muelle.services.ec2.eni.NetworkInterfaces;
import dev.muelle.services.ecr.Ecr;
import dev.muelle.services.ecr.RegistryTokens;
import dev.muelle.services.ecs.Ecs;
import dev.muelle.services.elasticloadbalancingv2.ElbV2;
import dev.muelle.services.eventbridge.EventBridge;
import dev.muelle.services.iam.Iam;
import dev.muelle.services.sns.Senders;
import dev.muelle.services.sns.Sns;
import dev.muelle.services.ssm.Ssm;
import dev.muelle.services.sts.Sts;
import dev.muelle.store.Store;
import java.time.Duration;
import java.util.Optional;
import java.util.random.RandomGenerator;

/** The services of one account in one region, wired: one plain constructor call after another. */
final class Region implements AutoCloseable {

  private static final String GLOBAL = "/global"; // IAM has one state for all regions

  /** Where services put their events down; EventBridge listens once it is there. */
  final EventOutbox events;

  private final AlarmReceivers alarmReceivers = new AlarmReceivers();

  final Acm acm;
  final Iam iam;
  final Ssm ssm;
  final Sts sts;
  final CloudWatch cloudWatch;
  final CloudWatchLogs logs;
  final Sns sns;
  final Ec2 ec2;
  final ElbV2 elb;
  final ArcZonalShift arcZonalShift;
  final AutoScaling autoScaling;
  final Ecr ecr;
  final Ecs ecs;
  final ApplicationAutoScaling applicationAutoScaling;
  final EventBridge eventBridge;

  /**
   * What the regions of one server share.
   *
   * @param timers the region's time; {@link Timers#machine} is for what no clock can hurry
   * @param resolution how finely it measures: whole seconds that divide a minute
   */
  record Shared(
      Store store,
      Timers timers,
      Duration resolution,
      RandomGenerator random,
      Network network,
      Engine engine,
      Balancer balancer,
      BlobStore blobs,
      RegistryTokens tokens,
      String registryHost,
      Authority authority,
      VpcHttp vpcHttp,
      RegionalApis apis,
      SessionKeys sessions,
      Objects objects,
      Senders senders) {}

  Region(Scope scope, Shared shared) {
    Store store = shared.store().in(scope.storeScope());
    Ids ids = new Ids(shared.random());
    Timers timers = shared.timers();
    events = new EventOutbox(ids);
    iam = new Iam(scope, shared.store().in(scope.account() + GLOBAL), timers, ids);
    ssm = new Ssm(scope);
    sts = new Sts();
    cloudWatch =
        new CloudWatch(
            scope, store, timers, shared.random(), alarmReceivers, events, shared.resolution());
    logs =
        new CloudWatchLogs(
            scope,
            store,
            timers,
            ids,
            shared.random(),
            cloudWatch.platform()::putMetricData,
            cloudWatch.measurements());
    sns =
        new Sns(
            scope,
            store,
            timers,
            ids,
            shared.random(),
            shared.senders(),
            logs,
            cloudWatch.measurements());
    alarmReceivers.add(sns.alarmActions());
    ec2 =
        new Ec2(
            scope,
            store,
            timers,
            ids,
            shared.random(),
            iam,
            shared.network(),
            NetworkInterfaces.MOST,
            new Ec2.Around(
                shared.vpcHttp(),
                shared.sessions(),
                events,
                cloudWatch.measurements(),
                this::busy,
                new Grouping(),
                logs,
                shared.apis()));
    alarmReceivers.add(new InstanceActions(scope, ec2));
    acm = // browsers and clients judge certificates by the machine's clock
        new Acm(scope, store, timers.machine(), ids, shared.random(), shared.authority());
    elb =
        new ElbV2(
            scope,
            store,
            timers,
            ids,
            shared.random(),
            ec2,
            ec2::denyAllIgwTraffic,
            acm,
            shared.network(),
            shared.balancer(),
            shared.objects(),
            cloudWatch.measurements());
    arcZonalShift = new ArcZonalShift(store, timers, ids, shared.random(), ec2, elb);
    autoScaling =
        new AutoScaling(
            scope,
            store,
            timers,
            ids,
            shared.random(),
            ec2,
            elb,
            cloudWatch,
            sns,
            iam,
            events,
            cloudWatch.measurements());
    alarmReceivers.add(autoScaling.alarmActions());
    ecr = new Ecr(scope, store, timers, shared.blobs(), shared.tokens(), shared.registryHost());
    ecs =
        new Ecs(
            scope,
            store,
            timers,
            ids,
            shared.random(),
            ec2,
            elb,
            logs,
            iam,
            cloudWatch.platform(),
            cloudWatch.measurements(),
            events,
            shared.objects(),
            new EcsGroups(autoScaling, ec2),
            ec2.boots(),
            shared.engine(),
            shared.network(),
            shared.vpcHttp(),
            shared.sessions(),
            shared.registryHost());
    applicationAutoScaling =
        new ApplicationAutoScaling(
            scope, store, timers, ids, shared.random(), ecs, elb, cloudWatch, events);
    alarmReceivers.add(applicationAutoScaling.actions());
    eventBridge =
        new EventBridge(
            scope,
            store,
            timers,
            ids,
            shared.random(),
            events,
            sns,
            logs,
            ecs,
            iam,
            cloudWatch.measurements());
  }

  /** What runs on instances is tasks, which ECS knows. */
  private double busy(String instanceId) {
    return ecs.vcpus(instanceId);
  }

  /** Instances are members of groups, which Auto Scaling knows. */
  private final class Grouping implements InstanceGroups {
    @Override
    public Optional<String> of(String instanceId) {
      return autoScaling.instanceGroups().of(instanceId);
    }

    @Override
    public Optional<String> target(String instanceId) {
      return autoScaling.instanceGroups().target(instanceId);
    }
  }

  /** Takes up the work where an earlier server left it: first the network, last the tasks. */
  void start() {
    eventBridge.listen();
    cloudWatch.start();
    logs.start();
    sns.start();
    ec2.start();
    acm.start();
    elb.start();
    arcZonalShift.start();
    autoScaling.start();
    ecs.start();
    applicationAutoScaling.start();
    eventBridge.start();
  }

  @Override
  public void close() {
    eventBridge.close();
    applicationAutoScaling.close();
    ecs.close();
    autoScaling.close();
    arcZonalShift.close();
    elb.close();
    acm.close();
    ecr.close();
    ec2.close();
    sns.close();
    logs.close();
    cloudWatch.close();
    iam.close();
  }
}
