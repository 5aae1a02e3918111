package dev.muelle.balancer;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.AbstractHttp2ConnectionHandlerBuilder;
import io.netty.handler.codec.http2.DefaultHttp2Connection;
import io.netty.handler.codec.http2.DefaultHttp2RemoteFlowController;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2EventAdapter;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.handler.codec.http2.UniformStreamByteDistributor;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * A connection of HTTP/2 to a target, begun with prior knowledge (RFC 9113, section 3.3) and shared
 * by the exchanges of one event loop. Nothing is asked before the target's SETTINGS have come: then
 * it is known to speak HTTP/2, and how many requests it takes at once.
 */
@SuppressWarnings(
    "FutureReturnValueIgnored") // a write that fails closes its channel, which is seen there
final class TargetHttp2 extends Http2ConnectionHandler implements TargetLink {

  /** Whatever a target says that it takes. */
  private static final int MAX_STREAMS = 128;

  private static final int CONNECTION_WINDOW = 1024 * 1024;

  /** Well before the numbers of streams run out. */
  private static final int LAST_STREAM = Integer.MAX_VALUE - 1024;

  /** Is told whether there is a stream for it. */
  interface Opened {
    void done(@Nullable TargetStream stream, boolean timedOut);
  }

  private final Http2Connection.PropertyKey key = connection().newKey();
  private final Queue<Opened> waiting = new ArrayDeque<>();
  private final Runnable gone;
  private volatile @Nullable ChannelHandlerContext context;
  private boolean ready;
  private boolean closing;
  private boolean over;
  private boolean flushes;
  private long lastMove;

  private TargetHttp2(
      Http2ConnectionDecoder decoder,
      Http2ConnectionEncoder encoder,
      Http2Settings settings,
      Runnable gone) {
    super(decoder, encoder, settings, true);
    this.gone = gone;
  }

  /**
   * A connection that is still to be made.
   *
   * @param gone is told when it is no more
   */
  static TargetHttp2 fresh(Runnable gone) {
    return new Builder(gone).build();
  }

  private static final class Builder
      extends AbstractHttp2ConnectionHandlerBuilder<TargetHttp2, Builder> {

    private final Runnable gone;

    private Builder(Runnable gone) {
      this.gone = gone;
      Http2Connection connection = new DefaultHttp2Connection(false);
      connection
          .remote()
          .flowController(
              new DefaultHttp2RemoteFlowController(
                  connection, new UniformStreamByteDistributor(connection)));
      connection(connection);
      initialSettings(
          new Http2Settings().pushEnabled(false).maxHeaderListSize(Head.Limits.RESPONSE.total()));
    }

    @Override
    protected TargetHttp2 build() {
      return super.build();
    }

    @Override
    protected TargetHttp2 build(
        Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings settings) {
      TargetHttp2 made = new TargetHttp2(decoder, encoder, settings, gone);
      Events events = made.new Events();
      frameListener(events);
      made.connection().addListener(events);
      encoder.flowController().listener(made::writabilityChanged);
      return made;
    }
  }

  /** How connecting went. */
  void connected(@Nullable Channel channel, boolean timedOut) {
    if (channel == null) {
      end(timedOut);
    } else if (over) {
      channel.close();
    } else {
      channel.pipeline().addLast(this);
      channel.config().setAutoRead(true);
    }
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) throws Exception {
    context = ctx;
    super.handlerAdded(ctx);
    Http2Stream all = connection().connectionStream();
    decoder().flowController().incrementWindowSize(all, CONNECTION_WINDOW - 65_535);
    ctx.flush();
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) throws Exception {
    super.channelInactive(ctx);
    end(false);
  }

  private void end(boolean timedOut) {
    if (!over) {
      over = true;
      for (Opened one = waiting.poll(); one != null; one = waiting.poll()) {
        one.done(null, timedOut);
      }
      gone.run();
    }
  }

  /** Whether one more exchange finds room here. */
  boolean hasRoom() {
    int most = ready ? Math.min(MAX_STREAMS, connection().local().maxActiveStreams()) : MAX_STREAMS;
    return !over
        && !closing
        && !connection().goAwayReceived()
        && connection().local().lastStreamCreated() < LAST_STREAM
        && connection().numActiveStreams() + waiting.size() < most;
  }

  /** Opens a stream as soon as the target is there. */
  void open(Opened opened) {
    waiting.add(opened);
    serve();
  }

  private void serve() {
    while (ready && !over && !waiting.isEmpty()) {
      Objects.requireNonNull(waiting.poll()).done(new TargetStream(this), false);
    }
  }

  private void writabilityChanged(Http2Stream stream) {
    TargetStream one = at(stream);
    if (one != null && writable(stream)) {
      one.targetWritable();
    }
  }

  private @Nullable TargetStream at(@Nullable Http2Stream stream) {
    return stream == null ? null : stream.getProperty(key);
  }

  private final class Events extends Http2EventAdapter {

    @Override
    public void onSettingsRead(ChannelHandlerContext ctx, Http2Settings settings) {
      ready = true;
      ctx.executor().execute(TargetHttp2.this::serve); // once they are in force
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
      onHeadersRead(ctx, id, headers, padding, last);
    }

    @Override
    public void onHeadersRead(
        ChannelHandlerContext ctx, int id, Http2Headers headers, int padding, boolean last)
        throws Http2Exception {
      TargetStream stream = at(connection().stream(id));
      if (stream != null) {
        stream.head(headers, last);
      }
    }

    @Override
    public int onDataRead(
        ChannelHandlerContext ctx, int id, ByteBuf data, int padding, boolean last) {
      TargetStream stream = at(connection().stream(id));
      return padding + (stream == null ? data.readableBytes() : stream.data(data, last));
    }

    @Override
    public void onRstStreamRead(ChannelHandlerContext ctx, int id, long error) {
      TargetStream stream = at(connection().stream(id));
      if (stream != null && error == Http2Error.REFUSED_STREAM.code()) {
        stream.refused();
      }
    }

    @Override
    public void onStreamClosed(Http2Stream stream) {
      lastMove = context().executor().ticker().nanoTime();
      TargetStream one = at(stream);
      if (one != null) {
        // Those above the last one that GOAWAY names were not looked at (section 6.8).
        boolean ignored =
            connection().goAwayReceived()
                && stream.id() > connection().local().lastStreamKnownByPeer();
        one.closed(ignored);
      }
    }

    @Override
    public void onGoAwayReceived(int last, long error, ByteBuf why) {
      context().executor().execute(TargetHttp2.this::closeIfDone);
    }

    @Override
    public void onStreamRemoved(Http2Stream stream) {
      if (closing || connection().goAwayReceived()) {
        closeIfDone();
      }
    }
  }

  /** A connection that breaks is nothing to tell anybody. */
  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) throws Exception {
    if (Http2CodecUtil.getEmbeddedHttp2Exception(cause) != null) {
      super.exceptionCaught(ctx, cause);
    } else {
      ctx.close();
    }
  }

  private ChannelHandlerContext context() {
    return Objects.requireNonNull(context);
  }

  boolean active() {
    return context().channel().isActive();
  }

  /**
   * Begins a request.
   *
   * @return null if there is no stream for it any more
   */
  @Nullable Http2Stream ask(TargetStream asker, Http2Headers headers, boolean whole) {
    int id = connection().local().incrementAndGetNextStreamId();
    encoder().writeHeaders(context(), id, headers, 0, whole, context().newPromise());
    Http2Stream stream = connection().stream(id);
    if (stream != null) {
      stream.setProperty(key, asker);
    }
    return stream;
  }

  void data(Http2Stream stream, ByteBuf data, boolean last) {
    encoder().writeData(context(), stream.id(), data, 0, last, context().newPromise());
    flush();
  }

  void trailers(Http2Stream stream, Http2Headers trailers) {
    encoder().writeHeaders(context(), stream.id(), trailers, 0, true, context().newPromise());
    flush();
  }

  boolean writable(Http2Stream stream) {
    return encoder().flowController().isWritable(stream);
  }

  void grant(Http2Stream stream, int bytes) {
    try {
      if (decoder().flowController().consumeBytes(stream, bytes)) {
        flush();
      }
    } catch (Http2Exception e) {
      onError(context(), true, e);
    }
  }

  void reset(Http2Stream stream, Http2Error why) {
    stream.removeProperty(key);
    if (connection().stream(stream.id()) != null) {
      resetStream(context(), stream.id(), why.code(), context().newPromise());
      flush();
    }
  }

  void flush() {
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

  private void closeIfDone() {
    if (connection().numActiveStreams() == 0) {
      context().close();
    }
  }

  /** Whether it has carried nothing since then. */
  boolean idleSince(long nanos) {
    return ready && connection().numActiveStreams() == 0 && waiting.isEmpty() && lastMove < nanos;
  }

  @Override
  public void closeIfIdle() {
    onLoop(() -> {
      closing = true;
      closeIfDone();
    });
  }

  @Override
  public void abort() {
    onLoop(() -> context().close());
  }

  /** On the event loop: it is of no more use, whether it stands already or not. */
  void finish() {
    over = true;
    ChannelHandlerContext ctx = context;
    if (ctx != null) {
      ctx.close();
    }
  }

  private void onLoop(Runnable work) {
    ChannelHandlerContext ctx = context;
    if (ctx != null && !ctx.executor().isShuttingDown()) {
      ctx.executor().execute(work);
    }
  }
}
