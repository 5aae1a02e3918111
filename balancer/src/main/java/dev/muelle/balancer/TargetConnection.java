package dev.muelle.balancer;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import org.jspecify.annotations.Nullable;

/** A connection to a target: serving one exchange, or idle in its event loop's pool. */
@SuppressWarnings(
    "FutureReturnValueIgnored") // a write that fails closes its channel, which is seen there
final class TargetConnection extends ChannelInboundHandlerAdapter {

  final MemberState member;
  final Channel channel;
  private final Worker worker;
  @Nullable Exchange exchange;
  long idleSince;
  boolean broken;

  TargetConnection(MemberState member, Channel channel, Worker worker) {
    this.member = member;
    this.channel = channel;
    this.worker = worker;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    Exchange current = exchange;
    if (current != null) {
      current.received((ByteBuf) message);
    } else {
      // An answer that nobody asked for.
      ((ByteBuf) message).release();
      ctx.close();
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    Exchange current = exchange;
    if (current != null) {
      current.receivedAll();
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    Exchange current = exchange;
    if (current != null) {
      current.targetWritable();
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    broken = true;
    ctx.close();
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    member.connections.remove(this);
    member.group.metrics.disconnected();
    worker.forget(this);
    Exchange current = exchange;
    exchange = null;
    if (current != null) {
      current.targetClosed(broken);
    }
  }

  /** From any thread. */
  void closeIfIdle() {
    onLoop(() -> {
      if (exchange == null) {
        channel.close();
      }
    });
  }

  /** From any thread. */
  void abort() {
    broken = true;
    onLoop(channel::close);
  }

  private void onLoop(Runnable work) {
    if (!channel.eventLoop().isShuttingDown()) {
      channel.eventLoop().execute(work);
    }
  }
}
