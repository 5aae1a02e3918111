package dev.muelle.region;

import dev.muelle.services.acm.Acm;
import dev.muelle.services.applicationautoscaling.ApplicationAutoScaling;
import dev.muelle.services.autoscaling.AutoScaling;
import dev.muelle.services.cloudwatch.CloudWatch;
import dev.muelle.services.cloudwatchlogs.CloudWatchLogs;
import dev.muelle.services.ec2.Ec2;
import dev.muelle.services.ecr.Ecr;
import dev.muelle.services.ecs.Ecs;
import dev.muelle.services.elasticloadbalancingv2.ElbV2;
import dev.muelle.services.eventbridge.EventBridge;
import dev.muelle.services.iam.Iam;
import dev.muelle.services.sns.Sns;
import dev.muelle.services.sts.Sts;
import dev.muelle.wire.Coverage;
import dev.muelle.wire.Mounts;
import java.util.List;
import software.amazon.awssdk.services.acm.AcmClient;
import software.amazon.awssdk.services.applicationautoscaling.ApplicationAutoScalingClient;
import software.amazon.awssdk.services.autoscaling.AutoScalingClient;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.cloudwatchlogs.model.StartLiveTailRequest;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ecr.EcrClient;
import software.amazon.awssdk.services.ecs.EcsClient;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.eventbridge.EventBridgeClient;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.sts.StsClient;

/** The services that a region offers over HTTP. */
final class Mounted {

  private Mounted() {}

  static Mounts services(Regions regions) {
    return new Mounts()
        .mount(AcmClient.class, caller -> regions.of(caller).acm)
        .mount(
            ApplicationAutoScalingClient.class, caller -> regions.of(caller).applicationAutoScaling)
        .mount(AutoScalingClient.class, caller -> regions.of(caller).autoScaling)
        .mount(CloudWatchClient.class, caller -> regions.of(caller).cloudWatch)
        .mount(CloudWatchLogsClient.class, caller -> regions.of(caller).logs)
        .mount(Ec2Client.class, caller -> regions.of(caller).ec2)
        .mount(EcrClient.class, caller -> regions.of(caller).ecr)
        .mount(EcsClient.class, caller -> regions.of(caller).ecs)
        .mount(ElasticLoadBalancingV2Client.class, caller -> regions.of(caller).elb)
        .mount(EventBridgeClient.class, caller -> regions.of(caller).eventBridge)
        .mount(IamClient.class, caller -> regions.of(caller).iam)
        .mount(SnsClient.class, caller -> regions.of(caller).sns)
        .mount(StsClient.class, caller -> regions.of(caller).sts)
        .mountStream(
            CloudWatchLogsClient.class,
            StartLiveTailRequest.class,
            (caller, request) -> regions.of(caller).logs.startLiveTail(request));
  }

  /** What of each service is built, read off the code. */
  static List<Coverage> coverage() {
    return List.of(
        Coverage.of(AcmClient.class, Acm.class),
        Coverage.of(ApplicationAutoScalingClient.class, ApplicationAutoScaling.class),
        Coverage.of(AutoScalingClient.class, AutoScaling.class),
        Coverage.of(CloudWatchClient.class, CloudWatch.class),
        Coverage.of(CloudWatchLogsClient.class, CloudWatchLogs.class),
        Coverage.of(Ec2Client.class, Ec2.class),
        Coverage.of(EcrClient.class, Ecr.class),
        Coverage.of(EcsClient.class, Ecs.class),
        Coverage.of(ElasticLoadBalancingV2Client.class, ElbV2.class),
        Coverage.of(EventBridgeClient.class, EventBridge.class),
        Coverage.of(IamClient.class, Iam.class),
        Coverage.of(SnsClient.class, Sns.class),
        Coverage.of(StsClient.class, Sts.class));
  }
}
