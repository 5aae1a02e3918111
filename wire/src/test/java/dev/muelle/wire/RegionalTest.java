package dev.muelle.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.net.URI;
import java.time.Clock;
import java.util.Random;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.SdkClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ecs.EcsClient;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.ListClustersRequest;
import software.amazon.awssdk.services.ecs.model.ListClustersResponse;

/** What answers for one service in one region: the real client against it. */
class RegionalTest {

  private static final class Ecs implements EcsClient {
    @Override
    public ListClustersResponse listClusters(ListClustersRequest request) {
      return ListClustersResponse.builder().clusterArns(Caller.current().region()).build();
    }

    @Override
    public String serviceName() {
      return "ecs";
    }

    @Override
    public void close() {}
  }

  private static final class Ec2 implements Ec2Client {
    @Override
    public String serviceName() {
      return "ec2";
    }

    @Override
    public void close() {}
  }

  private static EcsClient client(Region signed, Class<? extends SdkClient> only) {
    Mounts all =
        new Mounts()
            .mount(EcsClient.class, caller -> new Ecs())
            .mount(Ec2Client.class, caller -> new Ec2());
    return EcsClient.builder()
        .region(signed)
        .endpointOverride(URI.create("http://localhost:4566"))
        .credentialsProvider(
            StaticCredentialsProvider.create(AwsBasicCredentials.create("123456789012", "x")))
        .httpClient(
            new Loopback(
                AwsHandler.of(
                    "us-east-1", all.only(only), Access.open(), Clock.systemUTC(), new Random(1))))
        .build();
  }

  @Test
  void itAnswersForItsServiceInItsRegion() {
    assertEquals(
        "us-east-1",
        client(Region.US_EAST_1, EcsClient.class).listClusters().clusterArns().getFirst());
  }

  @Test
  void anotherRegionIsTurnedAway() {
    EcsException why =
        assertThrows(EcsException.class, client(Region.EU_WEST_1, EcsClient.class)::listClusters);
    assertEquals(400, why.statusCode());
    assertEquals(
        "Credential should be scoped to a valid region, not 'eu-west-1'. ",
        why.awsErrorDetails().errorMessage());
  }

  @Test
  void anotherServiceIsNotThere() {
    EcsException why =
        assertThrows(EcsException.class, client(Region.US_EAST_1, Ec2Client.class)::listClusters);
    assertEquals(501, why.statusCode());
  }
}
