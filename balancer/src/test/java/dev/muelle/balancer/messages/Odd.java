package dev.muelle.balancer.messages;

import java.util.List;
import java.util.random.RandomGenerator;

/**
 * What requests at random are made of: what parsers differ about, and enough that they agree on.
 */
public final class Odd {

  public static final List<String> ENDS =
      List.of(
          "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", "\r\r\n",
          " \r\n", "\r\n ");
  public static final List<String> NAMES =
      List.of(
          "Content-Length",
          "Content-Length",
          "content-length",
          "Content-Length ",
          " Content-Length",
          "Content_Length",
          "Transfer-Encoding",
          "Transfer-Encoding",
          "transfer-encoding",
          "Transfer-Encoding\t",
          "Transfer_Encoding",
          "X\r\nTransfer-Encoding",
          "Connection",
          "Expect",
          "Trailer",
          "Upgrade",
          "X-Forwarded-For",
          "X-A",
          "X-A",
          "",
          "X\u0000Y",
          "X-\u00e9");
  public static final List<String> VALUES =
      List.of(
          "0",
          "5",
          "5",
          "50",
          "+5",
          "-1",
          "5,5",
          "5, 5",
          "0x5",
          "5 ",
          "5\u000b",
          "05",
          "99999999999999999999",
          "chunked",
          "chunked",
          "chunked",
          "Chunked",
          "xchunked",
          "chunked, identity",
          "gzip, chunked",
          "chunked, chunked",
          "\"chunked\"",
          "identity",
          "",
          "close",
          "keep-alive",
          "close, keep-alive",
          "Transfer-Encoding",
          "content-length",
          "100-continue",
          "upgrade",
          "h2c",
          "websocket",
          "a\u0000b",
          "\u00e9",
          "\ta\t");
  public static final List<String> BODIES =
      List.of(
          "",
          "",
          "hello",
          "0\r\n\r\n",
          "5\r\nhello\r\n0\r\n\r\n",
          "5;x=\"\r\n\"\r\nhello\r\n0\r\n\r\n",
          "5;a=b\r\nhello\r\n0\r\n\r\n",
          "5\nhello\n0\n\n",
          "05\r\nhello\r\n0\r\nX: y\r\n\r\n",
          "0\r\nContent-Length: 50\r\n\r\n",
          "5\r\nhello",
          "5\r\nhelloworld\r\n0\r\n\r\n",
          "5 \r\nhello\r\n0\r\n\r\n",
          "ffffffffffffffff\r\n",
          "A\r\n0123456789\r\n0\r\n\r\n");

  private Odd() {}

  public static <T> T one(List<T> of, RandomGenerator random) {
    return of.get(random.nextInt(of.size()));
  }
}
