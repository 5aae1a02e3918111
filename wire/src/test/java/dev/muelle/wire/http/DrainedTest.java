package dev.muelle.wire.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DrainedTest {

  private static int left(int bytes, Map<String, List<String>> headers) throws IOException {
    InputStream body = new ByteArrayInputStream(new byte[bytes]);
    HttpHandler refusing = request -> HttpResponse.of(416);
    HttpResponse answer =
        new Drained(refusing).handle(new HttpRequest("PATCH", "/", "", headers, "127.0.0.1", body));
    assertEquals(416, answer.status());
    return body.available();
  }

  @Test
  void aSmallBodyIsReceivedToItsEnd() throws IOException {
    assertEquals(0, left(3, Map.of("content-length", List.of("3"))));
    assertEquals(0, left(Drained.MOST, Map.of("transfer-encoding", List.of("chunked"))));
  }

  @Test
  void aLargeOneIsNot() throws IOException {
    int size = Drained.MOST + 1;
    assertEquals(size, left(size, Map.of("content-length", List.of(String.valueOf(size)))));
    assertEquals(1, left(size, Map.of("transfer-encoding", List.of("chunked"))));
    assertEquals(9, left(9, Map.of("content-length", List.of("nine"))));
  }

  @Test
  void oneThatWaitsToBeAskedForIsNotAskedFor() throws IOException {
    assertEquals(
        3, left(3, Map.of("content-length", List.of("3"), "expect", List.of("100-continue"))));
  }

  @Test
  void aClientThatLeavesStillCountsAsAnswered() throws IOException {
    InputStream broken =
        new InputStream() {
          @Override
          public int read() throws IOException {
            throw new IOException("connection reset");
          }
        };
    HttpRequest request = new HttpRequest("PUT", "/", "", Map.of(), "127.0.0.1", broken);
    assertEquals(200, new Drained(one -> HttpResponse.of(200)).handle(request).status());
  }
}
