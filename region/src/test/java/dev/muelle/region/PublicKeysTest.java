package dev.muelle.region;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muelle.wire.http.HttpHandler;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Where applications get public keys: beside whatever a server has. */
class PublicKeysTest {

  private final PublicKeys keys = new PublicKeys();
  private final HttpHandler server =
      keys.beside(request -> HttpResponse.of(200, "text/plain", "its own " + request.path()));

  private String get(String path) throws IOException {
    HttpResponse answer =
        server.handle(
            new HttpRequest("GET", path, "", Map.of(), "127.0.0.1", InputStream.nullInputStream()));
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    answer.body().writeTo(body);
    return answer.status() + " " + body.toString(StandardCharsets.UTF_8);
  }

  @Test
  void keysAreFoundByTheirIdOnceThereAreAny() throws IOException {
    String path = PublicKeys.PATH + "1-2-3";
    assertEquals("404 There is no such key\n", get(path));
    keys.have(id -> id.equals("1-2-3") ? Optional.of("the key") : Optional.empty());
    assertEquals("200 the key", get(path));
    assertEquals("404 There is no such key\n", get(PublicKeys.PATH));
    assertEquals("404 There is no such key\n", get(path + "/.."));
    assertEquals("200 its own /v4/task", get("/v4/task"));
  }
}
