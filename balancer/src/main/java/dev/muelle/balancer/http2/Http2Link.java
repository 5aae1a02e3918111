package dev.muelle.balancer.http2;

import static io.netty.handler.codec.http2.Http2CodecUtil.DEFAULT_HEADER_LIST_SIZE;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.AbstractHttp2ConnectionHandlerBuilder;
import io.netty.handler.codec.http2.DefaultHttp2Connection;
import io.netty.handler.codec.http2.DefaultHttp2ConnectionDecoder;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.DefaultHttp2RemoteFlowController;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2EventAdapter;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2HeadersDecoder;
import io.netty.handler.codec.http2.Http2RemoteFlowController;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.handler.codec.http2.UniformStreamByteDistributor;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A connection of HTTP/2, to a client or to a target. What it holds of bodies is bounded by windows
 * that are granted anew only when somebody has taken what came.
 *
 * @param <S> what is kept for each stream
 */
@SuppressWarnings({
  "this-escape", // only what Netty made before is asked
  "FutureReturnValueIgnored" // a write that fails closes its channel, which is seen there
})
public abstract class Http2Link<S> extends Http2ConnectionHandler {

  private static final int CONNECTION_WINDOW = 1024 * 1024;

  private final Http2Connection.PropertyKey key = connection().newKey();
  private volatile @Nullable ChannelHandlerContext context; // others ask from their threads
  private boolean flushes;
  private boolean telling;

  protected Http2Link(
      Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings settings) {
    super(decoder, encoder, settings, true);
  }

  /** What comes, and streams that end. */
  protected abstract Http2EventAdapter events();

  /** A stream takes bytes again, or takes none any more. */
  protected abstract void writabilityChanged(S stream, boolean writable);

  /** Makes one. */
  public abstract static class Builder<T extends Http2Link<?>>
      extends AbstractHttp2ConnectionHandlerBuilder<T, Builder<T>> {

    /** The other end's streams that are no more. */
    protected final PastStreams past = new PastStreams();

    protected Builder(boolean server, Http2Settings settings) {
      Http2Connection connection = new DefaultHttp2Connection(server);
      Long most = settings.maxConcurrentStreams();
      if (most != null) { // from the beginning: who never acknowledges it has no more than others
        connection.remote().maxActiveStreams(most.intValue());
      }
      // Each stream in turn; no tree of priorities that the other end could make grow.
      connection
          .remote()
          .flowController(
              new DefaultHttp2RemoteFlowController(
                  connection, new UniformStreamByteDistributor(connection)));
      initialSettings(settings);
      Http2ConnectionEncoder encoder = new SettledEncoder(connection);
      Http2HeadersDecoder heads =
          new DefaultHttp2HeadersDecoder(
              true,
              Objects.requireNonNullElse(settings.maxHeaderListSize(), DEFAULT_HEADER_LIST_SIZE));
      codec(
          new DefaultHttp2ConnectionDecoder(
              connection, encoder, new FrameReader(connection, heads, server ? past : null)),
          encoder);
    }

    protected abstract T make(
        Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings settings);

    @Override
    public T build() {
      return super.build();
    }

    @Override
    protected T build(
        Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings settings) {
      T made = make(decoder, encoder, settings);
      Http2EventAdapter events = made.events();
      frameListener(events);
      made.connection().addListener(events);
      Http2Link<?> link = made;
      encoder.flowController().listener(link::changed);
      return made;
    }
  }

  /** Writes what flow control held back, and flushes if there is anything to flush. */
  @Override
  public void flush(ChannelHandlerContext ctx) {
    try {
      encoder().flowController().writePendingBytes();
    } catch (Http2Exception e) {
      onError(ctx, true, e);
    }
    if (((Frames) frameWriter()).passOn(ctx)) {
      ctx.flush(); // behind TLS even a flush of nothing costs something
    }
  }

  /** Writes a part of a body: at once if nothing is waiting before it and the windows are open. */
  protected void write(Http2Stream stream, ByteBuf part, boolean last) {
    Http2RemoteFlowController windows = encoder().flowController();
    Http2Stream all = connection().connectionStream();
    int bytes = part.readableBytes();
    if (windows.isWritable(stream)
        && !windows.hasFlowControlled(stream)
        && bytes <= windows.windowSize(stream)
        && bytes <= windows.windowSize(all)) {
      try {
        windows.incrementWindowSize(stream, -bytes);
        windows.incrementWindowSize(all, -bytes);
      } catch (Http2Exception e) {
        throw new IllegalStateException(e); // they become smaller, and cannot overflow
      }
      frameWriter().writeData(context(), stream.id(), part, 0, last, context().newPromise());
      if (last) {
        closeStreamLocal(stream, context().newSucceededFuture());
      }
    } else {
      encoder().writeData(context(), stream.id(), part, 0, last, context().newPromise());
    }
  }

  private void changed(Http2Stream stream) {
    S one = at(stream);
    if (one != null) {
      writabilityChanged(one, encoder().flowController().isWritable(stream));
    }
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) throws Exception {
    context = ctx;
    super.handlerAdded(ctx);
    Http2Stream all = connection().connectionStream();
    decoder()
        .flowController()
        .incrementWindowSize(all, CONNECTION_WINDOW - Http2CodecUtil.DEFAULT_WINDOW_SIZE);
    ctx.flush();
  }

  /** A connection that breaks is nothing to tell anybody. */
  @Override
  @SuppressWarnings("FutureReturnValueIgnored") // how closing went, nobody needs to know
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) throws Exception {
    if (Http2CodecUtil.getEmbeddedHttp2Exception(cause) != null) {
      super.exceptionCaught(ctx, cause);
    } else {
      ctx.close();
    }
  }

  protected ChannelHandlerContext context() {
    return Objects.requireNonNull(context);
  }

  /** Null as long as there is no connection. */
  protected @Nullable ChannelHandlerContext contextIfAny() {
    return context;
  }

  public ByteBufAllocator alloc() {
    return context().alloc();
  }

  protected @Nullable S at(@Nullable Http2Stream stream) {
    return stream == null ? null : stream.getProperty(key);
  }

  protected void keep(Http2Stream stream, S one) {
    stream.setProperty(key, one);
  }

  protected void forget(Http2Stream stream) {
    stream.removeProperty(key);
  }

  /**
   * Whether a stream takes bytes; if it does not, {@link #writabilityChanged} will say when it
   * does. A channel tells that it takes no more only a moment later, when it may take more again:
   * then nobody would be told of either.
   */
  public boolean writable(Http2Stream stream) {
    Http2RemoteFlowController windows = encoder().flowController();
    if (!telling) {
      telling = true;
      try {
        windows.channelWritabilityChanged();
      } catch (Http2Exception e) {
        onError(context(), true, e);
      } finally {
        telling = false;
      }
    }
    return windows.isWritable(stream);
  }

  /** So much of a body was taken: the other end may send as much again. */
  public void grant(Http2Stream stream, int bytes) {
    try {
      if (decoder().flowController().consumeBytes(stream, bytes)) {
        flush();
      }
    } catch (Http2Exception e) {
      onError(context(), true, e);
    }
  }

  /** Writes out what was written, and with it what others write in the same moment. */
  public void flush() {
    if (!flushes) {
      flushes = true;
      context()
          .executor()
          .execute(() -> {
            flushes = false;
            flush(context());
          });
    }
  }
}
