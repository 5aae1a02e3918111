package dev.muelle.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.net.URI;
import java.time.Clock;
import java.util.Random;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.ecs.EcsClient;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.ClusterNotFoundException;
import software.amazon.awssdk.services.ecs.model.DescribeClustersRequest;
import software.amazon.awssdk.services.ecs.model.DescribeClustersResponse;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.ListTasksRequest;
import software.amazon.awssdk.services.ecs.model.ListTasksResponse;

class AwsHandlerTest {

  static final class Ecs implements EcsClient {
    @Override
    public DescribeClustersResponse describeClusters(DescribeClustersRequest request) {
      return DescribeClustersResponse.builder()
          .clusters(
              Cluster.builder().clusterName(request.clusters().getFirst()).status("ACTIVE").build())
          .build();
    }

    @Override
    public ListTasksResponse listTasks(ListTasksRequest request) {
      throw ClusterNotFoundException.builder().message("Cluster not found.").build();
    }

    @Override
    public String serviceName() {
      return "ecs";
    }

    @Override
    public void close() {}
  }

  private final EcsClient client =
      EcsClient.builder()
          .region(Region.US_EAST_1)
          .endpointOverride(URI.create("http://localhost:4566"))
          .credentialsProvider(
              StaticCredentialsProvider.create(AwsBasicCredentials.create("123456789012", "x")))
          .httpClient(
              new Loopback(
                  new AwsHandler(
                      new Mounts().mount(EcsClient.class, caller -> new Ecs()),
                      Access.open(),
                      Clock.systemUTC(),
                      new Random(1))))
          .build();

  @Test
  void answers() {
    assertEquals(
        "ACTIVE", client.describeClusters(r -> r.clusters("a")).clusters().getFirst().status());
  }

  @Test
  void saysWhichExceptionItWas() {
    ClusterNotFoundException e =
        assertThrows(ClusterNotFoundException.class, () -> client.listTasks(r -> {}));
    assertEquals(400, e.statusCode());
    assertEquals("Cluster not found.", e.awsErrorDetails().errorMessage());
  }

  @Test
  void namesAnOperationThatIsNotBuilt() {
    EcsException e = assertThrows(EcsException.class, () -> client.listServices(r -> {}));
    assertEquals(501, e.statusCode());
    assertEquals("NotImplemented", e.awsErrorDetails().errorCode());
  }
}
