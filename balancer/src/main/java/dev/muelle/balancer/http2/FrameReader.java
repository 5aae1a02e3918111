package dev.muelle.balancer.http2;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.DefaultHttp2FrameReader;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameListener;
import io.netty.handler.codec.http2.Http2FrameListenerDecorator;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersDecoder;
import io.netty.handler.codec.http2.Http2Stream;
import org.jspecify.annotations.Nullable;

/**
 * Looks at heads before Netty does, which does not know what became of streams that are no more,
 * and to which a request that was whole at once has had its trailers. A number of the past cannot
 * begin anything; and what a client has ended, it cannot go on with.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc9113#section-5.1">RFC 9113, section 5.1</a>
 */
final class FrameReader extends DefaultHttp2FrameReader {

  private final Http2Connection connection;
  private final @Nullable PastStreams past;
  private @Nullable Http2FrameListener told;
  private @Nullable Http2FrameListener guard;

  /**
   * A reader of a connection's frames.
   *
   * @param past the other end's streams; null if it begins none
   */
  FrameReader(Http2Connection connection, Http2HeadersDecoder heads, @Nullable PastStreams past) {
    super(heads);
    this.past = past;
    this.connection = connection;
  }

  @Override
  @SuppressWarnings("ReferenceEquality") // the very same listener is meant
  public void readFrame(ChannelHandlerContext ctx, ByteBuf in, Http2FrameListener listener)
      throws Http2Exception {
    Http2FrameListener present = guard;
    if (present == null || told != listener) { // which changes once, after the first SETTINGS
      told = listener;
      present = guarded(listener);
      guard = present;
    }
    super.readFrame(ctx, in, present);
  }

  private Http2FrameListener guarded(Http2FrameListener listener) {
    return new Http2FrameListenerDecorator(listener) {
      @Override
      public void onHeadersRead(
          ChannelHandlerContext ctx, int id, Http2Headers headers, int padding, boolean last)
          throws Http2Exception {
        check(id);
        super.onHeadersRead(ctx, id, headers, padding, last);
      }

      @Override
      public void onHeadersRead(
          ChannelHandlerContext ctx,
          int id,
          Http2Headers headers,
          int dependency,
          short weight,
          boolean exclusive,
          int padding,
          boolean last)
          throws Http2Exception {
        check(id);
        super.onHeadersRead(ctx, id, headers, dependency, weight, exclusive, padding, last);
      }
    };
  }

  private void check(int id) throws Http2Exception {
    Http2Stream stream = connection.stream(id);
    PastStreams known = past;
    if (stream == null
        && known != null
        && connection.streamMayHaveExisted(id)
        && !known.wasReset(id)) {
      throw Http2Exception.connectionError(
          known.passedOver(id) ? Http2Error.PROTOCOL_ERROR : Http2Error.STREAM_CLOSED,
          "stream %d cannot begin any more",
          id);
    }
    if (stream != null && stream.state() == Http2Stream.State.HALF_CLOSED_REMOTE) {
      throw Http2Exception.streamError(id, Http2Error.STREAM_CLOSED, "stream %d has ended", id);
    }
  }
}
