package dev.muelle.balancer.targets;

import dev.muelle.balancer.http.Head;
import dev.muelle.balancer.http2.Http2Heads;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Stream;
import org.jspecify.annotations.Nullable;

/** One request on a connection of HTTP/2 to a target. */
@SuppressWarnings("ReferenceEquality") // the very same sender is meant
public final class TargetStream implements Carrier {

  private final TargetHttp2 connection;
  private @Nullable Http2Stream stream;
  private @Nullable Sender sender;
  private boolean answered;
  private boolean reading = true;

  /** What came while nothing was wanted, and was passed on: the target may send it anew later. */
  private int owed;

  TargetStream(TargetHttp2 connection) {
    this.connection = connection;
  }

  @Override
  public void ask(Sender asks, byte[] head, boolean whole) {
    sender = asks;
    stream = connection.ask(this, Http2Heads.told(head, connection.secure()), whole);
  }

  @Override
  public boolean active() {
    return stream != null && connection.active();
  }

  @Override
  public boolean writable() {
    Http2Stream at = stream;
    return at != null && connection.writable(at);
  }

  @Override
  public boolean framesItself() {
    return true;
  }

  @Override
  public void write(ByteBuf part) {
    Http2Stream at = stream;
    if (at == null) {
      part.release();
    } else {
      connection.data(at, part, false);
    }
  }

  @Override
  public void end(@Nullable Head trailers) {
    Http2Stream at = stream;
    if (at != null && trailers != null) {
      connection.trailers(at, Http2Heads.trailers(trailers));
    } else if (at != null) {
      connection.data(at, Unpooled.EMPTY_BUFFER, true);
    }
  }

  @Override
  public void reading(boolean wanted) {
    reading = wanted;
    Http2Stream at = stream;
    if (wanted && owed > 0 && at != null) {
      int bytes = owed;
      owed = 0;
      connection.grant(at, bytes);
    }
  }

  @Override
  public void flush() {
    connection.flush();
  }

  @Override
  public void done(boolean clean) {
    sender = null;
    if (!clean) {
      giveUp();
    }
  }

  @Override
  public void giveUp() {
    sender = null;
    Http2Stream at = stream;
    stream = null;
    if (at != null) {
      connection.reset(at, Http2Error.CANCEL);
    }
  }

  void head(Http2Headers headers, boolean last) throws Http2Exception {
    Sender to = sender;
    Http2Stream at = stream;
    if (to == null || at == null) {
      return;
    }
    if (answered) {
      to.ended(Http2Heads.trailers(at.id(), headers));
    } else {
      Head head = Http2Heads.answer(at.id(), headers);
      answered = !head.line().startsWith("HTTP/1.1 1");
      if (last && !answered) {
        throw malformed(at, "an answer that is only a hint of one");
      }
      to.answered(head, last);
    }
    to.receivedAll();
  }

  private static Http2Exception malformed(Http2Stream stream, String what) {
    return Http2Exception.streamError(stream.id(), Http2Error.PROTOCOL_ERROR, "%s", what);
  }

  int data(ByteBuf data, boolean last) throws Http2Exception {
    Sender to = sender;
    Http2Stream at = stream;
    int bytes = data.readableBytes();
    if (to == null || at == null) {
      return bytes;
    }
    if (!answered) {
      throw malformed(at, "a body without a head"); // it would be read as one of HTTP/1.1
    }
    if (bytes > 0) {
      to.received(data.retain());
    }
    if (last && sender == to) {
      to.ended(null);
    }
    to.receivedAll();
    if (reading || stream == null) {
      return bytes;
    }
    owed += bytes;
    return 0;
  }

  void targetWritable() {
    Sender to = sender;
    if (to != null) {
      to.targetWritable();
    }
  }

  void refused() {
    Sender to = sender;
    sender = null;
    stream = null;
    if (to != null) {
      to.refused();
    }
  }

  void closed(boolean ignored) {
    Sender to = sender;
    sender = null;
    stream = null;
    if (to != null && ignored) {
      to.refused();
    } else if (to != null) {
      to.targetClosed(true);
    }
  }
}
