package dev.muelle.balancer;

import static io.netty.handler.codec.http2.Http2Error.ENHANCE_YOUR_CALM;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
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
import io.netty.handler.codec.http2.Http2Flags;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.handler.codec.http2.UniformStreamByteDistributor;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A client's connection of HTTP/2: many requests at once, each a {@link ClientStream}.
 *
 * <p>A client may have 128 requests under way, as with ALB. Its bodies wait in the streams' windows
 * (64 KiB each, 1 MiB together) until targets take them. What RFC 9113 (section 10.5) warns of is
 * bounded: resets, empty frames, queued acknowledgements and header blocks by Netty, frames that
 * ask for nothing but work by {@link #MAX_CONTROL}.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html">
 *     Listeners for your Application Load Balancers</a>
 */
@SuppressWarnings(
    "FutureReturnValueIgnored") // a write that fails closes its channel, which is seen there
final class ClientHttp2 extends Http2ConnectionHandler implements Speaker {

  static final int MAX_STREAMS = 128;
  private static final int STREAM_WINDOW = 64 * 1024;
  private static final int CONNECTION_WINDOW = 1024 * 1024;

  /** PING, SETTINGS, PRIORITY and unknown frames in {@link #CONTROL_NANOS}. */
  static final int MAX_CONTROL = 1000;

  private static final long CONTROL_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final Visitor visitor;
  private final Worker worker;
  private final Http2Connection.PropertyKey key = connection().newKey();
  private @Nullable ChannelHandlerContext context;
  private boolean leaving;
  private boolean lingering;
  private boolean flushes;
  private long lastMove;
  private long controlSince;
  private int control;

  private ClientHttp2(
      Http2ConnectionDecoder decoder,
      Http2ConnectionEncoder encoder,
      Http2Settings settings,
      Visitor visitor) {
    super(decoder, encoder, settings, true);
    this.visitor = visitor;
    this.worker = visitor.worker;
    this.lastMove = worker.nanos();
    this.controlSince = lastMove;
  }

  static ClientHttp2 with(Visitor visitor) {
    return new Builder(visitor).build();
  }

  private static final class Builder
      extends AbstractHttp2ConnectionHandlerBuilder<ClientHttp2, Builder> {

    private final Visitor visitor;

    private Builder(Visitor visitor) {
      this.visitor = visitor;
      Http2Connection connection = new DefaultHttp2Connection(true);
      // Each stream in turn; no tree of priorities that clients could make grow.
      connection
          .remote()
          .flowController(
              new DefaultHttp2RemoteFlowController(
                  connection, new UniformStreamByteDistributor(connection)));
      connection(connection);
      initialSettings(
          new Http2Settings()
              .maxConcurrentStreams(MAX_STREAMS)
              .initialWindowSize(STREAM_WINDOW)
              .maxHeaderListSize(Head.Limits.REQUEST.total()));
    }

    @Override
    protected ClientHttp2 build() {
      return super.build();
    }

    @Override
    protected ClientHttp2 build(
        Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings settings) {
      ClientHttp2 made = new ClientHttp2(decoder, encoder, settings, visitor);
      Events events = made.new Events();
      frameListener(events);
      made.connection().addListener(events);
      encoder.flowController().listener(made::writabilityChanged);
      return made;
    }
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) throws Exception {
    context = ctx;
    super.handlerAdded(ctx);
    Http2Stream all = connection().connectionStream();
    decoder().flowController().incrementWindowSize(all, CONNECTION_WINDOW - STREAM_WINDOW);
    ctx.flush();
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

  private @Nullable ClientStream at(Http2Stream stream) {
    return stream.getProperty(key);
  }

  private void writabilityChanged(Http2Stream stream) {
    ClientStream one = at(stream);
    if (one != null) {
      one.writable(writable(stream));
    }
  }

  /** What comes, and streams that end. */
  private final class Events extends Http2EventAdapter {

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
      lastMove = worker.nanos();
      Http2Stream stream = connection().stream(id);
      ClientStream present = at(stream);
      if (present != null) {
        present.trailers(Http2Heads.trailers(id, headers));
        return;
      }
      ClientStream fresh = new ClientStream(ClientHttp2.this, stream, visitor);
      try {
        Head head = Http2Heads.request(id, headers);
        stream.setProperty(key, fresh);
        fresh.begin(head, last);
      } catch (BadMessage e) {
        fresh.refuse(e.status);
      }
    }

    @Override
    public int onDataRead(
        ChannelHandlerContext ctx, int id, ByteBuf data, int padding, boolean last) {
      lastMove = worker.nanos();
      ClientStream stream = at(connection().stream(id));
      return padding + (stream == null ? data.readableBytes() : stream.data(data, last));
    }

    @Override
    public void onPingRead(ChannelHandlerContext ctx, long data) throws Http2Exception {
      calm();
    }

    @Override
    public void onSettingsRead(ChannelHandlerContext ctx, Http2Settings settings)
        throws Http2Exception {
      calm();
    }

    @Override
    public void onPriorityRead(
        ChannelHandlerContext ctx, int id, int dependency, short weight, boolean exclusive)
        throws Http2Exception {
      calm();
    }

    @Override
    public void onUnknownFrame(
        ChannelHandlerContext ctx, byte type, int id, Http2Flags flags, ByteBuf payload)
        throws Http2Exception {
      calm();
    }

    private void calm() throws Http2Exception {
      long now = worker.nanos();
      if (now - controlSince > CONTROL_NANOS) {
        controlSince = now;
        control = 0;
      }
      if (++control > MAX_CONTROL) {
        throw Http2Exception.connectionError(ENHANCE_YOUR_CALM, "too many control frames");
      }
    }

    @Override
    public void onStreamClosed(Http2Stream stream) {
      lastMove = worker.nanos();
      ClientStream one = at(stream);
      if (one != null) {
        one.closed();
      }
    }

    @Override
    public void onStreamRemoved(Http2Stream stream) {
      if (leaving) {
        closeIfDone();
      }
    }
  }

  ByteBufAllocator alloc() {
    return context().alloc();
  }

  /** Writes a head, also one that follows a body. */
  void head(Http2Stream stream, Http2Headers headers, boolean last) {
    encoder()
        .writeHeaders(context(), stream.id(), headers, 0, last, context().newPromise())
        .addListener(written -> {
          if (!written.isSuccess()) {
            reset(stream, Http2Error.INTERNAL_ERROR); // longer than the client takes, for one
          } else if (last) {
            answered(stream);
          }
        });
  }

  void data(Http2Stream stream, ByteBuf data, boolean last) {
    ChannelFuture written =
        encoder().writeData(context(), stream.id(), data, 0, last, context().newPromise());
    if (last) {
      written.addListener(done -> answered(stream));
    }
  }

  /** The answer is whole; what is still to come of the request is of no use (section 8.1). */
  private void answered(Http2Stream stream) {
    if (stream.state() == Http2Stream.State.HALF_CLOSED_LOCAL) {
      reset(stream, Http2Error.NO_ERROR);
      flush();
    }
  }

  void reset(Http2Stream stream, Http2Error why) {
    if (connection().stream(stream.id()) != null) {
      resetStream(context(), stream.id(), why.code(), context().newPromise());
    }
  }

  boolean writable(Http2Stream stream) {
    return encoder().flowController().isWritable(stream);
  }

  /** So much of a body was taken: the client may send as much again. */
  void grant(Http2Stream stream, int bytes) {
    try {
      if (decoder().flowController().consumeBytes(stream, bytes)) {
        flush();
      }
    } catch (Http2Exception e) {
      onError(context(), true, e);
    }
  }

  /** Writes out what was written, and with it what other targets answer in the same moment. */
  void flush() {
    if (!flushes) {
      flushes = true;
      worker.loop.execute(() -> {
        flushes = false;
        flush(context());
      });
    }
  }

  void close() {
    context().close();
  }

  /** Takes no more requests, and ends when those under way have their answers. */
  void leave() {
    if (!leaving) {
      leaving = true;
      goAway(
          context(),
          connection().remote().lastStreamCreated(),
          Http2Error.NO_ERROR.code(),
          Unpooled.EMPTY_BUFFER,
          context().newPromise());
      flush(context());
      closeIfDone();
    }
  }

  private void closeIfDone() {
    if (connection().numActiveStreams() == 0) {
      linger();
    }
  }

  private void linger() {
    if (!lingering) {
      lingering = true;
      visitor.linger();
    }
  }

  /**
   * The client has broken the protocol, or goes too far: it is told why, and not heard any more.
   */
  @Override
  protected void onConnectionError(
      ChannelHandlerContext ctx,
      boolean outbound,
      Throwable cause,
      @Nullable Http2Exception known) {
    if (!lingering) {
      leaving = true;
      // Written at the lowest level: goAway() would cut the connection, and with it what is told.
      frameWriter()
          .writeGoAway(
              ctx,
              connection().remote().lastStreamCreated(),
              (known == null ? Http2Error.INTERNAL_ERROR : known.error()).code(),
              Unpooled.EMPTY_BUFFER,
              ctx.newPromise());
      active().forEach(ClientStream::closed);
      linger();
    }
  }

  @Override
  protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) throws Exception {
    if (lingering) {
      in.skipBytes(in.readableBytes());
    } else {
      super.decode(ctx, in, out);
    }
  }

  private List<ClientStream> active() {
    List<ClientStream> active = new ArrayList<>(connection().numActiveStreams());
    try {
      connection()
          .forEachActiveStream(stream -> {
            ClientStream one = at(stream);
            return one == null || active.add(one);
          });
    } catch (Http2Exception e) {
      throw new IllegalStateException(e); // nothing in there throws
    }
    return active;
  }

  @Override
  public void retire() {
    leave();
  }

  @Override
  public void watch() {
    if (connection().numActiveStreams() == 0) {
      if (worker.nanos() - lastMove >= visitor.idleNanos()) {
        leave();
      }
    } else {
      active().forEach(ClientStream::watch);
    }
    if (!visitor.mayStay()) {
      leave();
    }
  }

  @Override
  protected void handleServerHeaderDecodeSizeError(ChannelHandlerContext ctx, Http2Stream stream) {
    new ClientStream(this, stream, visitor).refuse(400); // as ALB, where others say 431
  }
}
