package dev.muelle.balancer.visitors;

import dev.muelle.balancer.messages.Answer;
import dev.muelle.balancer.routing.BalancerState.Binding;
import dev.muelle.balancer.targets.Worker;
import dev.muelle.balancer.tls.ClientHello;
import dev.muelle.balancer.tls.KeyExchange;
import dev.muelle.balancer.tls.Tls;
import dev.muelle.balancer.tls.TlsServer;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.ssl.SslHandler;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Stands before a connection to a port that speaks TLS until the client has said whom it wants, and
 * then makes room for the handshake with that one's certificate. What it holds of a client is never
 * more than a ClientHello's length, nor longer than {@link Worker#handshakeMillis}.
 */
@SuppressWarnings(
    "FutureReturnValueIgnored") // a write that fails closes its channel, which is seen there
public final class TlsDoor extends ByteToMessageDecoder {

  private static final int UNRECOGNIZED_NAME = 112;
  private static final int HANDSHAKE_FAILURE = 40;
  private static final int DECODE_ERROR = 50;

  private final Endpoint endpoint;
  private final Worker worker;
  private final Visitor visitor;
  private long begun;
  private boolean over;

  public TlsDoor(Visitor visitor) {
    this.endpoint = visitor.endpoint;
    this.worker = visitor.worker;
    this.visitor = visitor;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    begun = worker.nanos();
    worker.loop.schedule(
        () -> {
          if (!ctx.isRemoved() && !visitor.held()) {
            visitor.handshakeFailed(null);
            ctx.close();
          }
        },
        worker.handshakeMillis,
        TimeUnit.MILLISECONDS);
  }

  @Override
  protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
    if (over || visitor.held()) {
      in.skipBytes(in.readableBytes());
      return;
    }
    try {
      ClientHello hello = ClientHello.peek(in);
      if (hello != null) {
        open(ctx, hello, in);
      } else if (in.readableBytes() > 2 * ClientHello.MAX_BYTES) {
        throw new ClientHello.Malformed("no whole ClientHello in " + in.readableBytes());
      }
    } catch (ClientHello.Malformed e) {
      refuse(
          ctx,
          in,
          isHttp(in)
              ? Answer.plainHttp().wire(false, true, worker.clock.instant())
              : alert(DECODE_ERROR));
    }
  }

  /** Of what the client may take in all: its hello has taken a part of that. */
  private long remainingMillis() {
    long taken = TimeUnit.NANOSECONDS.toMillis(worker.nanos() - begun);
    return Math.max(1, worker.handshakeMillis - taken); // 0 would be without end
  }

  private void open(ChannelHandlerContext ctx, ClientHello hello, ByteBuf in) {
    String key = endpoint.secureKey(hello.name());
    Binding binding = key == null ? null : endpoint.bindings.get(key);
    TlsServer tls = binding == null ? null : binding.tls();
    if (key == null || binding == null || tls == null) {
      refuse(ctx, in, alert(UNRECOGNIZED_NAME));
      return;
    }
    if (!visitor.secured(key, binding)) {
      in.skipBytes(in.readableBytes());
      return;
    }
    try {
      Tls.Identity shown = tls.choose(hello, worker.clock.instant());
      visitor.shows(shown, hello.name());
      SslHandler handshake = tls.context(hello, shown).newHandler(ctx.alloc());
      handshake.setHandshakeTimeoutMillis(remainingMillis());
      KeyExchange keyExchange = visitor.keyExchange();
      if (keyExchange != null) {
        ctx.pipeline().addFirst(keyExchange);
      }
      ctx.pipeline().replace(this, "tls", handshake);
    } catch (SSLException e) {
      refuse(ctx, in, alert(HANDSHAKE_FAILURE));
    }
  }

  private void refuse(ChannelHandlerContext ctx, ByteBuf in, @Nullable ByteBuf lastWords) {
    over = true;
    in.skipBytes(in.readableBytes());
    visitor.handshakeFailed(null);
    ctx.writeAndFlush(lastWords == null ? Unpooled.EMPTY_BUFFER : lastWords)
        .addListener(ChannelFutureListener.CLOSE);
  }

  private static ByteBuf alert(int description) {
    return Unpooled.wrappedBuffer(new byte[] {21, 3, 3, 0, 2, 2, (byte) description});
  }

  /** Whether this is a request in plain text: a method's first letters. */
  private static boolean isHttp(ByteBuf in) {
    int letters = Math.min(in.readableBytes(), 3);
    for (int i = 0; i < letters; i++) {
      byte b = in.getByte(in.readerIndex() + i);
      if (b < 'A' || b > 'Z') {
        return false;
      }
    }
    return letters == 3;
  }
}
