package dev.muelle.balancer.exchanges;

import dev.muelle.balancer.targets.Carrier;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;

/** What was sent of a request's body, as long as all of it is at hand and may be sent again. */
final class Replay {

  private static final int MAX = 64 * 1024;

  /** Null once something is missing. */
  private @Nullable ByteBuf kept;

  /**
   * Nothing was sent yet.
   *
   * @param idempotent whether a body may be sent again at all
   */
  Replay(boolean idempotent, boolean bodiless) {
    kept = bodiless ? Unpooled.EMPTY_BUFFER : idempotent ? Unpooled.buffer(0) : null;
  }

  void keep(ByteBuf part) {
    ByteBuf all = kept;
    if (all != null && all.readableBytes() + part.readableBytes() <= MAX) {
      all.writeBytes(part, part.readerIndex(), part.readableBytes());
    } else {
      kept = null;
    }
  }

  void forget() {
    kept = null;
  }

  boolean whole() {
    return kept != null;
  }

  void sendTo(Carrier carrier) {
    ByteBuf all = kept;
    if (all != null && all.isReadable()) {
      carrier.write(all.copy());
    }
  }
}
