package dev.muelle.balancer.clients;

import dev.muelle.balancer.tls.ClientTrust;
import dev.muelle.balancer.tls.ClientTrust.Reason;
import dev.muelle.balancer.visitors.Speaker;
import dev.muelle.balancer.visitors.Visitor;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;

/** Waits behind TLS until it is known which version of HTTP is spoken, and leaves it to that. */
@SuppressWarnings("FutureReturnValueIgnored") // a close cannot fail
public final class Handshaken extends ChannelInboundHandlerAdapter {

  private final Visitor visitor;

  Handshaken(Visitor visitor) {
    this.visitor = visitor;
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    SslHandler tls = ctx.pipeline().get(SslHandler.class);
    if (event instanceof SslHandshakeCompletionEvent handshake && tls != null) {
      if (handshake.isSuccess()) {
        if (visitor.negotiated(tls.engine())) {
          begin(ctx, ApplicationProtocolNames.HTTP_2.equals(tls.applicationProtocol()));
        } else {
          visitor.handshakeFailed(new ClientTrust.Refused(Reason.ClientCertExpired));
          ctx.close();
        }
      } else {
        visitor.handshakeFailed(handshake.cause());
      }
    }
    ctx.fireUserEventTriggered(event);
  }

  private void begin(ChannelHandlerContext ctx, boolean http2) {
    Speaker speaker = http2 ? ClientHttp2.with(visitor) : new ClientConnection(visitor);
    ctx.pipeline().replace(this, "http", (ChannelHandler) speaker);
    visitor.meets(speaker);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    ctx.close();
  }
}
