package dev.muelle.balancer.targets;

import dev.muelle.balancer.http.Head;
import dev.muelle.balancer.http2.HeadEvents;
import dev.muelle.balancer.http2.Http2Link;
import dev.muelle.balancer.routing.TargetLink;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2EventAdapter;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.handler.ssl.SslHandler;
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
public final class TargetHttp2 extends Http2Link<TargetStream> implements TargetLink {

  /** Whatever a target says that it takes. */
  private static final int MAX_STREAMS = 128;

  /** Well before the numbers of streams run out. */
  private static final int LAST_STREAM = Integer.MAX_VALUE - 1024;

  /** Is told whether there is a stream for it. */
  public interface Opened {
    void done(@Nullable TargetStream stream, Reach reach);
  }

  private final Queue<Opened> waiting = new ArrayDeque<>();
  private final Runnable gone;
  private boolean ready;
  private boolean closing;
  private boolean over;
  private long lastMove;

  private TargetHttp2(
      Http2ConnectionDecoder decoder,
      Http2ConnectionEncoder encoder,
      Http2Settings settings,
      Runnable gone) {
    super(decoder, encoder, settings);
    this.gone = gone;
  }

  /**
   * A connection that is still to be made.
   *
   * @param gone is told when it is no more
   */
  public static TargetHttp2 fresh(Runnable gone) {
    return new Builder(gone).build();
  }

  private static final class Builder extends Http2Link.Builder<TargetHttp2> {

    private final Runnable gone;

    private Builder(Runnable gone) {
      super(
          false,
          new Http2Settings().pushEnabled(false).maxHeaderListSize(Head.Limits.RESPONSE.total()));
      this.gone = gone;
    }

    @Override
    protected TargetHttp2 make(
        Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings settings) {
      return new TargetHttp2(decoder, encoder, settings, gone);
    }
  }

  @Override
  protected Http2EventAdapter events() {
    return new Events();
  }

  @Override
  protected void writabilityChanged(TargetStream stream, boolean writable) {
    if (writable) {
      stream.targetWritable();
    }
  }

  /** How connecting went. */
  public void connected(@Nullable Channel channel, Reach reach) {
    if (channel == null) {
      end(reach);
    } else if (over) {
      channel.close();
    } else {
      channel.pipeline().addLast(this);
      channel.config().setAutoRead(true);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) throws Exception {
    super.channelInactive(ctx);
    end(Reach.REFUSED);
  }

  private void end(Reach reach) {
    if (!over) {
      over = true;
      for (Opened one = waiting.poll(); one != null; one = waiting.poll()) {
        one.done(null, reach);
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
  public void open(Opened opened) {
    waiting.add(opened);
    serve();
  }

  private void serve() {
    while (ready && !over && !waiting.isEmpty()) {
      Objects.requireNonNull(waiting.poll()).done(new TargetStream(this), Reach.CONNECTED);
    }
  }

  private final class Events extends HeadEvents {

    @Override
    public void onSettingsRead(ChannelHandlerContext ctx, Http2Settings settings) {
      ready = true;
      ctx.executor().execute(TargetHttp2.this::serve); // once they are in force
    }

    @Override
    public void onHeadersRead(
        ChannelHandlerContext ctx, int id, Http2Headers headers, int padding, boolean last)
        throws Http2Exception {
      if (!connection().local().isValidStreamId(id)) {
        throw Http2Exception.connectionError(
            Http2Error.PROTOCOL_ERROR, "stream %d was never promised", id);
      }
      TargetStream stream = at(connection().stream(id));
      if (stream != null) {
        stream.head(headers, last);
      }
    }

    @Override
    public int onDataRead(
        ChannelHandlerContext ctx, int id, ByteBuf data, int padding, boolean last)
        throws Http2Exception {
      TargetStream stream = at(connection().stream(id));
      return padding + (stream == null ? data.readableBytes() : stream.data(data, last));
    }

    /** It has not heard yet that we take none: after that Netty ends the connection. */
    @Override
    public void onPushPromiseRead(
        ChannelHandlerContext ctx, int id, int promised, Http2Headers headers, int padding) {
      resetStream(ctx, promised, Http2Error.CANCEL.code(), ctx.newPromise());
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

  /** Whether it is behind TLS. */
  boolean secure() {
    return context().pipeline().get(SslHandler.class) != null;
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
      keep(stream, asker);
    }
    return stream;
  }

  void data(Http2Stream stream, ByteBuf data, boolean last) {
    write(stream, data, last);
    flush();
  }

  void trailers(Http2Stream stream, Http2Headers trailers) {
    encoder().writeHeaders(context(), stream.id(), trailers, 0, true, context().newPromise());
    flush();
  }

  void reset(Http2Stream stream, Http2Error why) {
    forget(stream);
    if (connection().stream(stream.id()) != null) {
      resetStream(context(), stream.id(), why.code(), context().newPromise());
      flush();
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
  public void finish() {
    over = true;
    ChannelHandlerContext ctx = contextIfAny();
    if (ctx != null) {
      ctx.close();
    }
  }

  private void onLoop(Runnable work) {
    ChannelHandlerContext ctx = contextIfAny();
    if (ctx != null && !ctx.executor().isShuttingDown()) {
      ctx.executor().execute(work);
    }
  }
}
