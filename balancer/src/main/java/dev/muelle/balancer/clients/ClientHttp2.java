package dev.muelle.balancer.clients;

import static io.netty.handler.codec.http2.Http2Error.ENHANCE_YOUR_CALM;

import dev.muelle.balancer.http.BadMessage;
import dev.muelle.balancer.http.Head;
import dev.muelle.balancer.http2.HeadEvents;
import dev.muelle.balancer.http2.Http2Heads;
import dev.muelle.balancer.http2.Http2Link;
import dev.muelle.balancer.http2.PastStreams;
import dev.muelle.balancer.http2.Quota;
import dev.muelle.balancer.targets.Worker;
import dev.muelle.balancer.visitors.Speaker;
import dev.muelle.balancer.visitors.Stillness;
import dev.muelle.balancer.visitors.Visitor;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2EventAdapter;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Flags;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A client's connection of HTTP/2: many requests at once, each a {@link ClientStream}.
 *
 * <p>A client may have 128 requests under way, as with ALB. Its bodies wait in the streams' windows
 * (64 KiB each, 1 MiB together) until targets take them. What RFC 9113 (section 10.5) warns of is
 * bounded: resets, empty frames and header blocks by Netty, acknowledgements that nobody reads by
 * {@link Http2Link}'s writer, frames that ask for nothing but work by {@link #MAX_CONTROL}, resets
 * that we are made to send by {@link #MAX_RESETS}.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html">
 *     Listeners for your Application Load Balancers</a>
 */
@SuppressWarnings(
    "FutureReturnValueIgnored") // a write that fails closes its channel, which is seen there
public final class ClientHttp2 extends Http2Link<ClientStream> implements Speaker {

  static final int MAX_STREAMS = 128;
  private static final int STREAM_WINDOW = 64 * 1024;

  /** PING, SETTINGS, PRIORITY, GOAWAY and unknown frames in {@link #CONTROL_NANOS}. */
  public static final int MAX_CONTROL = 1000;

  private static final long CONTROL_NANOS = TimeUnit.SECONDS.toNanos(10);

  /** In {@link #RESET_NANOS}; as many as Netty takes of a client. */
  static final int MAX_RESETS = 200;

  private static final long RESET_NANOS = TimeUnit.SECONDS.toNanos(30);

  /** Frames for streams that we have reset, in {@link #RESET_NANOS}. */
  public static final int MAX_LATE = 10_000;

  private final Visitor visitor;
  private final Worker worker;
  private final Quota control;
  private final Quota resets;
  private final Quota late;
  private final PastStreams past;
  private boolean leaving;
  private boolean done;
  private boolean lingering;
  private final Stillness stillness = new Stillness();

  private ClientHttp2(
      Http2ConnectionDecoder decoder,
      Http2ConnectionEncoder encoder,
      Http2Settings settings,
      PastStreams past,
      Visitor visitor) {
    super(decoder, encoder, settings);
    this.past = past;
    this.visitor = visitor;
    this.worker = visitor.worker;
    long now = worker.nanos();
    this.control = new Quota(MAX_CONTROL, CONTROL_NANOS, now);
    this.resets = new Quota(MAX_RESETS, RESET_NANOS, now);
    this.late = new Quota(MAX_LATE, RESET_NANOS, now);
  }

  static ClientHttp2 with(Visitor visitor) {
    return new Builder(visitor).build();
  }

  private static final class Builder extends Http2Link.Builder<ClientHttp2> {

    private final Visitor visitor;

    private Builder(Visitor visitor) {
      super(
          true,
          new Http2Settings()
              .maxConcurrentStreams(MAX_STREAMS)
              .initialWindowSize(STREAM_WINDOW)
              .maxHeaderListSize(Head.Limits.REQUEST.total()));
      this.visitor = visitor;
    }

    @Override
    protected ClientHttp2 make(
        Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings settings) {
      return new ClientHttp2(decoder, encoder, settings, past, visitor);
    }
  }

  @Override
  protected Http2EventAdapter events() {
    return new Events();
  }

  @Override
  protected void writabilityChanged(ClientStream stream, boolean writable) {
    stream.writable(writable);
  }

  private final class Events extends HeadEvents {

    @Override
    public void onHeadersRead(
        ChannelHandlerContext ctx, int id, Http2Headers headers, int padding, boolean last)
        throws Http2Exception {
      stillness.moved();
      Http2Stream stream = connection().stream(id);
      ClientStream present = at(stream);
      if (present != null) {
        present.trailers(Http2Heads.trailers(id, headers));
        return;
      }
      ClientStream fresh = new ClientStream(ClientHttp2.this, stream, visitor);
      try {
        Head head = Http2Heads.request(id, headers);
        keep(stream, fresh);
        fresh.begin(head, last);
      } catch (BadMessage e) {
        fresh.refuse(e.status);
        visitor.malformed(e);
      }
    }

    @Override
    public int onDataRead(
        ChannelHandlerContext ctx, int id, ByteBuf data, int padding, boolean last) {
      stillness.moved();
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

    @Override
    public void onGoAwayRead(ChannelHandlerContext ctx, int last, long error, ByteBuf why)
        throws Http2Exception {
      calm();
    }

    /** It does not want to go on with this connection: nor do we, after what is under way. */
    @Override
    public void onGoAwayReceived(int last, long error, ByteBuf why) {
      context().executor().execute(ClientHttp2.this::leave);
    }

    private void calm() throws Http2Exception {
      if (!control.take(worker.nanos())) {
        throw Http2Exception.connectionError(ENHANCE_YOUR_CALM, "too many control frames");
      }
    }

    /** The answer is whole; what is still to come of the request is of no use (section 8.1). */
    @Override
    public void onStreamHalfClosed(Http2Stream stream) {
      if (stream.state() == Http2Stream.State.HALF_CLOSED_LOCAL) {
        context()
            .executor()
            .execute(() -> { // the frame that is being read may be the request's last
              if (stream.state() == Http2Stream.State.HALF_CLOSED_LOCAL) {
                reset(stream, Http2Error.NO_ERROR);
                flush();
              }
            });
      }
    }

    @Override
    public void onStreamAdded(Http2Stream stream) {
      past.began(stream.id());
    }

    @Override
    public void onStreamClosed(Http2Stream stream) {
      stillness.moved();
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

  /** Writes a head, also one that follows a body. */
  void head(Http2Stream stream, Http2Headers headers, boolean last) {
    ChannelFuture written =
        encoder().writeHeaders(context(), stream.id(), headers, 0, last, context().newPromise());
    if (!written.isSuccess()) {
      written.addListener(done -> {
        if (!done.isSuccess()) {
          reset(stream, Http2Error.INTERNAL_ERROR); // longer than the client takes, for one
        }
      });
    }
  }

  void data(Http2Stream stream, ByteBuf data, boolean last) {
    write(stream, data, last);
  }

  /** A client can make us send these by what it sends: CVE-2025-55163. */
  @Override
  public ChannelFuture resetStream(
      ChannelHandlerContext ctx, int id, long error, ChannelPromise promise) {
    past.reset(id);
    ChannelFuture written = super.resetStream(ctx, id, error, promise);
    boolean fault = error != Http2Error.NO_ERROR.code() && error != Http2Error.CANCEL.code();
    if (fault && !resets.take(worker.nanos())) {
      onError(ctx, true, Http2Exception.connectionError(ENHANCE_YOUR_CALM, "too many resets"));
    }
    return written;
  }

  /**
   * Something is wrong with one stream. Netty forgets those that ended before they had begun, since
   * their head was malformed or there were too many; and does not know any more what became of
   * others.
   */
  @Override
  protected void onStreamError(
      ChannelHandlerContext ctx,
      boolean outbound,
      Throwable cause,
      Http2Exception.StreamException error) {
    int id = error.streamId();
    if (!outbound && connection().stream(id) == null) {
      if (!connection().streamMayHaveExisted(id)) {
        begin(id, error instanceof Http2Exception.HeaderListSizeException);
      } else if (past.wasReset(id)) {
        // It was under way when we said so (section 5.1).
        if (!late.take(worker.nanos())) {
          onError(
              ctx, false, Http2Exception.connectionError(ENHANCE_YOUR_CALM, "too much is late"));
        }
        return;
      }
    }
    super.onStreamError(ctx, outbound, cause, error);
  }

  /**
   * A stream that is to be reset has begun all the same, so that what else is under way for it is
   * not taken for frames of one that has not.
   */
  private void begin(int id, boolean whole) {
    int most = connection().remote().maxActiveStreams();
    connection().remote().maxActiveStreams(Integer.MAX_VALUE); // it may be one too many
    try {
      connection().remote().createStream(id, whole);
    } catch (Http2Exception e) {
      // None of the client's, or we are going away: it is reset as one that never was.
    } finally {
      connection().remote().maxActiveStreams(most);
    }
  }

  void reset(Http2Stream stream, Http2Error why) {
    if (connection().stream(stream.id()) != null) {
      resetStream(context(), stream.id(), why.code(), context().newPromise());
    }
  }

  void close() {
    flush(context());
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
    if (connection().numActiveStreams() == 0 && !done) {
      done = true;
      flush(context());
      context().writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(sent -> linger());
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
      if (stillness.nanos(worker.nanos()) >= visitor.idleNanos()) {
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
