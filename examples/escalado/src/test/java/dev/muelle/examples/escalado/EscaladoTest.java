package dev.muelle.examples.escalado;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class EscaladoTest {

  @Test
  void aRequestCostsWhatIsSaid() throws Exception {
    long before = Work.used();
    Work.burn(Duration.ofMillis(50));
    long used = Work.used() - before;
    assertTrue(used >= 50_000_000, "only " + used + " ns");
  }

  @Test
  void theSickOneStillWorks() throws Exception {
    Escalado service = new Escalado(0, Duration.ofMillis(1));
    service.start();
    try (HttpClient client = HttpClient.newHttpClient()) {
      assertEquals(200, ask(client, service, "GET", "/salud").statusCode());
      assertEquals("hecho: 1 ms de CPU\n", ask(client, service, "GET", "/trabajo").body());
      assertEquals(404, ask(client, service, "GET", "/enfermar").statusCode());
      assertEquals(404, ask(client, service, "GET", "/").statusCode());
      assertEquals(200, ask(client, service, "POST", "/enfermar").statusCode());
      assertEquals(503, ask(client, service, "GET", "/salud").statusCode());
      assertEquals(200, ask(client, service, "GET", "/trabajo").statusCode());
    } finally {
      service.stop();
    }
  }

  private static HttpResponse<String> ask(
      HttpClient client, Escalado service, String method, String path) throws Exception {
    return client.send(
        HttpRequest.newBuilder(URI.create("http://localhost:" + service.port() + path))
            .method(method, BodyPublishers.noBody())
            .build(),
        BodyHandlers.ofString());
  }
}
