package dev.muelle.balancer.http;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.function.IntPredicate;

/** Looks at texts of every request, for which a stream of their characters is too slow. */
public final class Chars {

  private static final boolean[] HOST = new boolean[128];

  static {
    for (char c = 0; c < HOST.length; c++) {
      HOST[c] = Character.isLetterOrDigit(c) || "-._:[]~".indexOf(c) >= 0;
    }
  }

  private Chars() {}

  public static boolean all(String text, IntPredicate test) {
    for (int i = 0; i < text.length(); i++) {
      if (!test.test(text.charAt(i))) {
        return false;
      }
    }
    return true;
  }

  /** Writes a text of ISO 8859-1. */
  @SuppressWarnings("deprecation") // for other texts it were wrong; of these it copies the bytes
  public static void write(String text, ByteBuf out) {
    int length = text.length();
    if (!out.hasArray()) {
      out.writeCharSequence(text, StandardCharsets.ISO_8859_1);
      return;
    }
    out.ensureWritable(length);
    int at = out.writerIndex();
    text.getBytes(0, length, out.array(), out.arrayOffset() + at);
    out.writerIndex(at + length);
  }

  /** Whether it is what may stand for a host, with a port or without. */
  public static boolean isHost(String text) {
    return all(text, c -> c < HOST.length && HOST[c]);
  }
}
