package dev.muelle.examples.albadigi;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;

class AlbaDigiApiTest {

  private static final String METADATA =
      """
      {"TaskARN":"arn:aws:ecs:us-east-1:000000000000:task/alba-digi-cluster/0123abc",
       "AvailabilityZone":"us-east-1b",
       "Containers":[{"Networks":[{"NetworkMode":"awsvpc","IPv4Addresses":["172.31.16.9"]}]}]}
      """;

  @Test
  void answersWhatTheLabAsks() throws Exception {
    AlbaDigiApi api = new AlbaDigiApi(0, Identity.parse(METADATA), "7");
    api.start();
    try (HttpClient client = HttpClient.newHttpClient()) {
      assertEquals(200, get(client, api, "/alive").statusCode());
      assertEquals(
          "{\"task\":\"0123abc\",\"address\":\"172.31.16.9\",\"zone\":\"us-east-1b\",\"version\":\"7\"}\n",
          get(client, api, "/whoami").body());
      assertEquals(404, get(client, api, "/").statusCode());
    } finally {
      api.stop();
    }
  }

  private static HttpResponse<String> get(HttpClient client, AlbaDigiApi api, String path)
      throws Exception {
    URI uri = URI.create("http://127.0.0.1:" + api.port() + path);
    return client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
  }
}
