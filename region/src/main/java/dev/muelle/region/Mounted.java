package dev.muelle.region;

import dev.muelle.services.Api;
import dev.muelle.services.acm.Acm;
import dev.muelle.services.applicationautoscaling.ApplicationAutoScaling;
import dev.muelle.services.arczonalshift.ArcZonalShift;
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
import dev.muelle.services.ssm.Ssm;
import dev.muelle.services.sts.Sts;
import dev.muelle.wire.Caller;
import dev.muelle.wire.Coverage;
import dev.muelle.wire.Mounts;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import software.amazon.awssdk.core.SdkClient;
import software.amazon.awssdk.services.acm.AcmClient;
import software.amazon.awssdk.services.applicationautoscaling.ApplicationAutoScalingClient;
import software.amazon.awssdk.services.arczonalshift.ArcZonalShiftClient;
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
import software.amazon.awssdk.services.ssm.SsmClient;
import software.amazon.awssdk.services.sts.StsClient;

/** The services that a region offers over HTTP. */
final class Mounted {

  private Mounted() {}

  static Mounts services(Function<Caller, Region> regions) {
    return new Mounts()
        .mount(AcmClient.class, caller -> regions.apply(caller).acm)
        .mount(
            ApplicationAutoScalingClient.class,
            caller -> regions.apply(caller).applicationAutoScaling)
        .mount(ArcZonalShiftClient.class, caller -> regions.apply(caller).arcZonalShift)
        .mount(AutoScalingClient.class, caller -> regions.apply(caller).autoScaling)
        .mount(CloudWatchClient.class, caller -> regions.apply(caller).cloudWatch)
        .mount(CloudWatchLogsClient.class, caller -> regions.apply(caller).logs)
        .mount(Ec2Client.class, caller -> regions.apply(caller).ec2)
        .mount(EcrClient.class, caller -> regions.apply(caller).ecr)
        .mount(EcsClient.class, caller -> regions.apply(caller).ecs)
        .mount(ElasticLoadBalancingV2Client.class, caller -> regions.apply(caller).elb)
        .mount(EventBridgeClient.class, caller -> regions.apply(caller).eventBridge)
        .mount(IamClient.class, caller -> regions.apply(caller).iam)
        .mount(SnsClient.class, caller -> regions.apply(caller).sns)
        .mount(SsmClient.class, caller -> regions.apply(caller).ssm)
        .mount(StsClient.class, caller -> regions.apply(caller).sts)
        .mountStream(
            CloudWatchLogsClient.class,
            StartLiveTailRequest.class,
            (caller, request) -> regions.apply(caller).logs.startLiveTail(request));
  }

  /** The APIs that these services are, under their public names; with them the images of ECR. */
  static Map<Api, Optional<Class<? extends SdkClient>>> apis() {
    Map<Api, Optional<Class<? extends SdkClient>>> apis = new LinkedHashMap<>();
    for (Class<? extends SdkClient> client : services(Mounted::nobody).clients()) {
      Api.Form form = client == IamClient.class ? Api.Form.GLOBAL : Api.Form.REGIONAL;
      apis.put(new Api(endpointPrefix(client), form), Optional.of(client));
    }
    apis.put(new Api("sts", Api.Form.GLOBAL), Optional.of(StsClient.class)); // it has both
    apis.put(Api.IMAGES, Optional.empty());
    return apis;
  }

  private static Region nobody(Caller caller) {
    throw new IllegalStateException("nobody is asked: " + caller);
  }

  private static String endpointPrefix(Class<? extends SdkClient> client) {
    try {
      return (String) client.getField("SERVICE_METADATA_ID").get(null);
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException(client.getName() + " is not an SDK client interface", e);
    }
  }

  /** What of each service is built, read off the code. */
  static List<Coverage> coverage() {
    return List.of(
        Coverage.of(AcmClient.class, Acm.class),
        Coverage.of(ApplicationAutoScalingClient.class, ApplicationAutoScaling.class),
        Coverage.of(ArcZonalShiftClient.class, ArcZonalShift.class),
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
        Coverage.of(SsmClient.class, Ssm.class),
        Coverage.of(StsClient.class, Sts.class));
  }
}
