package dev.muelle.balancer.targets;

import dev.muelle.balancer.http.Head;
import dev.muelle.balancer.routing.MemberState;
import dev.muelle.balancer.routing.TargetLink;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import org.jspecify.annotations.Nullable;

/** A connection to a target: serving one exchange, or idle in its event loop's pool. */
@SuppressWarnings(
    "FutureReturnValueIgnored") // a write that fails closes its channel, which is seen there
public final class TargetConnection extends ChannelInboundHandlerAdapter
    implements Carrier, TargetLink {

  final MemberState member;
  final Channel channel;
  private final Worker worker;
  private @Nullable Sender sender;
  long idleSince;
  boolean broken;

  TargetConnection(MemberState member, Channel channel, Worker worker) {
    this.member = member;
    this.channel = channel;
    this.worker = worker;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    Sender current = sender;
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
    Sender current = sender;
    if (current != null) {
      current.receivedAll();
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    Sender current = sender;
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
    Sender current = sender;
    sender = null;
    if (current != null) {
      current.targetClosed(broken);
    }
  }

  @Override
  public void ask(Sender asks, byte[] head, boolean whole) {
    sender = asks;
    channel.write(Unpooled.wrappedBuffer(head));
    channel.config().setAutoRead(true);
  }

  @Override
  public boolean active() {
    return channel.isActive();
  }

  @Override
  public boolean writable() {
    return channel.isWritable();
  }

  @Override
  public boolean framesItself() {
    return false;
  }

  @Override
  public void write(ByteBuf part) {
    channel.writeAndFlush(part);
  }

  @Override
  public void end(@Nullable Head trailers) {
    // The last chunk, or the length, has said so.
  }

  @Override
  public void reading(boolean wanted) {
    channel.config().setAutoRead(wanted);
  }

  @Override
  public void flush() {
    worker.flush(channel);
  }

  @Override
  public void done(boolean clean) {
    sender = null;
    if (clean && channel.isActive()) {
      worker.release(this);
    } else {
      channel.close();
    }
  }

  @Override
  public void giveUp() {
    sender = null;
    channel.close();
  }

  @Override
  public void closeIfIdle() {
    onLoop(() -> {
      if (sender == null) {
        channel.close();
      }
    });
  }

  @Override
  public void abort() {
    broken = true;
    onLoop(channel::close);
  }

  private void onLoop(Runnable work) {
    if (!channel.eventLoop().isShuttingDown()) {
      channel.eventLoop().execute(work);
    }
  }
}
