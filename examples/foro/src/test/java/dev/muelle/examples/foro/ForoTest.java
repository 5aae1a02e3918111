package dev.muelle.examples.foro;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.Test;

class ForoTest {

  private static HttpResponse<String> get(Foro foro, String path) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      URI uri = URI.create("http://127.0.0.1:" + foro.port() + path);
      return client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
    }
  }

  @Test
  void theMonolithHasEveryPart() throws Exception {
    Foro foro = new Foro(0, List.of("users", "threads", "posts"), "1");
    foro.start();
    try {
      assertEquals(200, get(foro, "/alive").statusCode());
      assertTrue(get(foro, "/api/users").body().contains("\"username\":\"goran\""));
      assertTrue(get(foro, "/api/threads/2").body().contains("¿grandes o pequeños?"));
      assertTrue(get(foro, "/api/posts/in-thread/1").body().contains("velero"));
      assertEquals("[]\n", get(foro, "/api/posts/by-user/9").body());
      assertEquals(404, get(foro, "/api/users/9").statusCode());
      assertEquals(404, get(foro, "/").statusCode());
    } finally {
      foro.stop();
    }
  }

  @Test
  void aMicroserviceHasItsOwnPartOnly() throws Exception {
    Foro foro = new Foro(0, List.of("threads"), "2");
    foro.start();
    try {
      HttpResponse<String> own = get(foro, "/api/threads");
      assertEquals(200, own.statusCode());
      assertEquals("threads", own.headers().firstValue("Foro-Parts").orElseThrow());
      assertEquals("2", own.headers().firstValue("Foro-Version").orElseThrow());
      assertEquals(404, get(foro, "/api/users").statusCode());
    } finally {
      foro.stop();
    }
  }

  @Test
  void whatTheForumHasNotIsNotServed() {
    assertThrows(IllegalArgumentException.class, () -> new Foro(0, List.of("likes"), "1"));
  }
}
