package dev.muelle.balancer.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Writes the chunked coding of HTTP/1.1 (RFC 9112, section 7.1). */
public final class Chunks {

  /** Fields that say where a message ends or how it is routed: none of them may come last. */
  public static final Set<String> NEVER_LAST =
      Set.of(
          "connection",
          "content-length",
          "expect",
          "host",
          "keep-alive",
          "proxy-connection",
          "te",
          "trailer",
          "transfer-encoding",
          "upgrade");

  private Chunks() {}

  public static ByteBuf start(int bytes) {
    return ascii(Integer.toHexString(bytes) + "\r\n");
  }

  public static ByteBuf end() {
    return ascii("\r\n");
  }

  /** One chunk; an empty one would be the last. */
  public static ByteBuf of(ByteBuf payload) {
    return payload.isReadable()
        ? Unpooled.wrappedBuffer(start(payload.readableBytes()), payload, end())
        : payload;
  }

  /** The last chunk, and what follows it. */
  public static ByteBuf last(@Nullable Head trailers) {
    ByteBuf out = ascii("0\r\n");
    if (trailers != null) {
      out = Unpooled.buffer().writeBytes(out);
      for (int i = 0; i < trailers.count(); i++) {
        if (!NEVER_LAST.contains(trailers.name(i))) {
          trailers.copy(i, out);
        }
      }
    }
    return Unpooled.wrappedBuffer(out, end());
  }

  private static ByteBuf ascii(String text) {
    return Unpooled.wrappedBuffer(text.getBytes(StandardCharsets.US_ASCII));
  }
}
