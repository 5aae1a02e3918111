package dev.muelle.balancer.flows;

import dev.muelle.balancer.targets.Worker;
import dev.muelle.balancer.tls.ClientHello;
import dev.muelle.balancer.tls.Tls;
import dev.muelle.balancer.tls.TlsServer;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.ssl.SslHandler;
import java.util.List;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Waits for a client's ClientHello, and makes room for the handshake with the fitting certificate.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a close cannot fail
final class FlowTls extends ByteToMessageDecoder {

  private final TlsServer tls;
  private final Worker worker;
  private final Runnable refused;
  private final @Nullable TlsLedger ledger;

  /**
   * A door.
   *
   * @param refused hears that the client began no handshake
   * @param ledger null if nothing is noted
   */
  FlowTls(TlsServer tls, Worker worker, Runnable refused, @Nullable TlsLedger ledger) {
    this.refused = refused;
    this.ledger = ledger;
    this.tls = tls;
    this.worker = worker;
  }

  @Override
  protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
    try {
      ClientHello hello = ClientHello.peek(in);
      if (hello != null) {
        Tls.Identity shown = tls.choose(hello, worker.clock.instant());
        SslHandler handshake = tls.context(hello, shown).newHandler(ctx.alloc());
        if (ledger != null) {
          ledger.hears(hello, shown);
        }
        handshake.setHandshakeTimeoutMillis(worker.handshakeMillis);
        ctx.pipeline().replace(this, "tls", handshake);
      } else if (in.readableBytes() > 2 * ClientHello.MAX_BYTES) {
        refuse(in);
      }
    } catch (ClientHello.Malformed | SSLException e) {
      refuse(in);
    }
  }

  private void refuse(ByteBuf in) {
    in.skipBytes(in.readableBytes());
    refused.run();
  }
}
