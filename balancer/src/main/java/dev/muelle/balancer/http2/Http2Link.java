package dev.muelle.balancer.http2;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.AbstractHttp2ConnectionHandlerBuilder;
import io.netty.handler.codec.http2.DefaultHttp2Connection;
import io.netty.handler.codec.http2.DefaultHttp2RemoteFlowController;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2EventAdapter;
import io.netty.handler.codec.http2.Http2Exception;
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
@SuppressWarnings("this-escape") // only what Netty made before is asked
public abstract class Http2Link<S> extends Http2ConnectionHandler {

  private static final int CONNECTION_WINDOW = 1024 * 1024;

  private final Http2Connection.PropertyKey key = connection().newKey();
  private volatile @Nullable ChannelHandlerContext context; // others ask from their threads
  private boolean flushes;

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

    protected Builder(boolean server, Http2Settings settings) {
      Http2Connection connection = new DefaultHttp2Connection(server);
      // Each stream in turn; no tree of priorities that the other end could make grow.
      connection
          .remote()
          .flowController(
              new DefaultHttp2RemoteFlowController(
                  connection, new UniformStreamByteDistributor(connection)));
      connection(connection);
      initialSettings(settings);
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

  private void changed(Http2Stream stream) {
    S one = at(stream);
    if (one != null) {
      writabilityChanged(one, writable(stream));
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

  public boolean writable(Http2Stream stream) {
    return encoder().flowController().isWritable(stream);
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
