package dev.muelle.region.demo;

import java.net.URI;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.autoscaling.AutoScalingClient;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ecr.EcrClient;
import software.amazon.awssdk.services.ecs.EcsClient;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.sts.StsClient;

/** The AWS SDK's own clients, pointed at a region of ours. */
public final class Clients implements AutoCloseable {

  private final URI endpoint;
  private final String region;
  private final StaticCredentialsProvider credentials;
  private final SdkHttpClient http = UrlConnectionHttpClient.create();

  public final EcsClient ecs;
  public final EcrClient ecr;
  public final Ec2Client ec2;
  public final ElasticLoadBalancingV2Client elb;
  public final CloudWatchLogsClient logs;
  public final StsClient sts;
  public final AutoScalingClient scaling;
  public final CloudWatchClient cloudWatch;
  public final SnsClient sns;

  public Clients(URI endpoint, String region, String accessKeyId, String secretAccessKey) {
    this.endpoint = endpoint;
    this.region = region;
    this.credentials =
        StaticCredentialsProvider.create(AwsBasicCredentials.create(accessKeyId, secretAccessKey));
    ecs = configured(EcsClient.builder().httpClient(http)).build();
    ecr = configured(EcrClient.builder().httpClient(http)).build();
    ec2 = configured(Ec2Client.builder().httpClient(http)).build();
    elb = configured(ElasticLoadBalancingV2Client.builder().httpClient(http)).build();
    logs = configured(CloudWatchLogsClient.builder().httpClient(http)).build();
    sts = configured(StsClient.builder().httpClient(http)).build();
    scaling = configured(AutoScalingClient.builder().httpClient(http)).build();
    cloudWatch = configured(CloudWatchClient.builder().httpClient(http)).build();
    sns = configured(SnsClient.builder().httpClient(http)).build();
  }

  /** Of which they are. */
  public String region() {
    return region;
  }

  private <B extends AwsClientBuilder<B, C>, C> B configured(B builder) {
    return builder
        .endpointOverride(endpoint)
        .region(Region.of(region))
        .credentialsProvider(credentials);
  }

  @Override
  public void close() {
    http.close();
  }
}
