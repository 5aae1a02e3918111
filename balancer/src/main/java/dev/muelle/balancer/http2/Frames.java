package dev.muelle.balancer.http2;

import static io.netty.handler.codec.http2.Http2CodecUtil.FRAME_HEADER_LENGTH;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http2.DefaultHttp2FrameWriter;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Flags;
import io.netty.handler.codec.http2.Http2FrameTypes;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersEncoder;
import io.netty.handler.codec.http2.Http2Settings;
import java.nio.channels.ClosedChannelException;
import org.jspecify.annotations.Nullable;

/**
 * Writes frames. Heads and short parts of bodies stand one behind the other in one buffer until
 * something else is written or {@link #passOn} is called: Netty's own writer passes on two buffers
 * for each frame, which all have to be copied together again where TLS begins. Whoever wrote such a
 * frame is told at once that it is written, since nothing can go wrong with it but the connection.
 */
@SuppressWarnings(
    "FutureReturnValueIgnored") // a write that fails closes its channel, which is seen there
final class Frames extends DefaultHttp2FrameWriter {

  /** What fits into a record of TLS. */
  private static final int ENOUGH = 16 * 1024;

  /** Longer parts of bodies are not copied. */
  private static final int SHORT = 4 * 1024;

  /** Frames that the other end makes us write, and does not read. */
  private static final int MAX_UNREAD = 10_000;

  private final Http2HeadersEncoder heads;
  private @Nullable ByteBuf gathered;
  private boolean written;
  private boolean closed;
  private int unread;

  Frames() {
    this(new DefaultHttp2HeadersEncoder());
  }

  private Frames(Http2HeadersEncoder heads) {
    super(heads);
    this.heads = heads;
  }

  /** Passes on what is gathered; whether there is anything to flush since it was asked last. */
  boolean passOn(ChannelHandlerContext ctx) {
    ByteBuf full = gathered;
    gathered = null;
    if (full != null) {
      ctx.write(full);
    }
    boolean any = written;
    written = false;
    return any;
  }

  private ByteBuf gathering(ChannelHandlerContext ctx) {
    written = true;
    ByteBuf present = gathered;
    if (present != null && present.readableBytes() < ENOUGH) {
      return present;
    }
    passOn(ctx);
    written = true;
    ByteBuf fresh = ctx.alloc().buffer(1024);
    gathered = fresh;
    return fresh;
  }

  /** What is written now stands after what is gathered. */
  private void after(ChannelHandlerContext ctx) {
    passOn(ctx);
    written = true;
  }

  @Override
  public ChannelFuture writeHeaders(
      ChannelHandlerContext ctx,
      int id,
      Http2Headers headers,
      int padding,
      boolean last,
      ChannelPromise promise) {
    if (closed) {
      return promise.setFailure(new ClosedChannelException());
    }
    ByteBuf out = gathering(ctx);
    int start = out.writerIndex();
    try {
      out.writeZero(FRAME_HEADER_LENGTH);
      heads.encodeHeaders(id, headers, out);
    } catch (Http2Exception e) {
      out.writerIndex(start);
      return promise.setFailure(e);
    }
    int length = out.writerIndex() - start - FRAME_HEADER_LENGTH;
    Http2Flags flags = new Http2Flags().endOfStream(last);
    if (length <= maxFrameSize()) {
      out.writerIndex(start);
      header(out, length, Http2FrameTypes.HEADERS, flags.endOfHeaders(true), id);
      out.writerIndex(start + FRAME_HEADER_LENGTH + length);
    } else {
      ByteBuf block = out.copy(start + FRAME_HEADER_LENGTH, length);
      out.writerIndex(start);
      continued(out, block, flags, id);
      block.release();
    }
    return promise.setSuccess();
  }

  /** A head that is longer than a frame. */
  private void continued(ByteBuf out, ByteBuf block, Http2Flags flags, int id) {
    byte type = Http2FrameTypes.HEADERS;
    Http2Flags now = flags;
    while (block.isReadable()) {
      int length = Math.min(maxFrameSize(), block.readableBytes());
      header(out, length, type, now.endOfHeaders(length == block.readableBytes()), id);
      out.writeBytes(block, length);
      type = Http2FrameTypes.CONTINUATION;
      now = new Http2Flags();
    }
  }

  @Override
  public ChannelFuture writeData(
      ChannelHandlerContext ctx,
      int id,
      ByteBuf data,
      int padding,
      boolean last,
      ChannelPromise promise) {
    if (closed) {
      data.release();
      return promise.setFailure(new ClosedChannelException());
    }
    do {
      int length = Math.min(maxFrameSize(), data.readableBytes());
      boolean ends = last && length == data.readableBytes();
      ByteBuf out = gathering(ctx);
      header(out, length, Http2FrameTypes.DATA, new Http2Flags().endOfStream(ends), id);
      if (length <= SHORT) {
        out.writeBytes(data, length);
      } else {
        after(ctx);
        ctx.write(data.readRetainedSlice(length));
      }
    } while (data.isReadable());
    data.release();
    return promise.setSuccess();
  }

  private static void header(ByteBuf out, int length, byte type, Http2Flags flags, int id) {
    out.writeMedium(length).writeByte(type).writeByte(flags.value()).writeInt(id);
  }

  @Override
  public ChannelFuture writeRstStream(
      ChannelHandlerContext ctx, int id, long error, ChannelPromise promise) {
    after(ctx);
    return super.writeRstStream(ctx, id, error, counted(ctx, promise));
  }

  @Override
  public ChannelFuture writeSettings(
      ChannelHandlerContext ctx, Http2Settings settings, ChannelPromise promise) {
    after(ctx);
    return super.writeSettings(ctx, settings, promise);
  }

  @Override
  public ChannelFuture writeSettingsAck(ChannelHandlerContext ctx, ChannelPromise promise) {
    after(ctx);
    return super.writeSettingsAck(ctx, counted(ctx, promise));
  }

  @Override
  public ChannelFuture writePing(
      ChannelHandlerContext ctx, boolean ack, long data, ChannelPromise promise) {
    after(ctx);
    return super.writePing(ctx, ack, data, counted(ctx, promise));
  }

  @Override
  public ChannelFuture writeGoAway(
      ChannelHandlerContext ctx, int last, long error, ByteBuf why, ChannelPromise promise) {
    after(ctx);
    return super.writeGoAway(ctx, last, error, why, promise);
  }

  @Override
  public ChannelFuture writeWindowUpdate(
      ChannelHandlerContext ctx, int id, int more, ChannelPromise promise) {
    after(ctx);
    return super.writeWindowUpdate(ctx, id, more, promise);
  }

  /** Who lets too many of these pile up is not heard any more, and would not hear why. */
  private ChannelPromise counted(ChannelHandlerContext ctx, ChannelPromise promise) {
    if (unread == MAX_UNREAD) {
      ctx.flush();
    }
    if (unread == MAX_UNREAD) {
      ctx.close();
    } else {
      unread++;
      promise.addListener(done -> unread--);
    }
    return promise;
  }

  @Override
  public void close() {
    closed = true;
    if (gathered != null) {
      gathered.release();
      gathered = null;
    }
    super.close();
  }
}
