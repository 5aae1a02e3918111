package dev.muelle.balancer.targets;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.unix.RawUnixChannelOption;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CongestionTest {

  /** TCP_CONGESTION, as long as the kernel's names may be. */
  private static final ChannelOption<ByteBuffer> USED =
      new RawUnixChannelOption("TCP_CONGESTION", 6, 13, 16);

  private final EventLoopGroup loops =
      new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());

  @AfterEach
  void end() {
    loops.shutdownGracefully(0, 0, java.util.concurrent.TimeUnit.SECONDS);
  }

  @Test
  void whoComesFromThisHostIsServedWithoutFindingOutWhatTheWayCanTake() throws Exception {
    assertEquals("reno", ofAnAcceptedConnection("127.0.0.1", false));
    assertEquals("reno", ofAnAcceptedConnection("0.0.0.0", true));
  }

  @Test
  void whereOthersMayComeTheHostSaysHow() throws Exception {
    assertEquals(
        Files.readString(Path.of("/proc/sys/net/ipv4/tcp_congestion_control")).strip(),
        ofAnAcceptedConnection("0.0.0.0", false));
  }

  private String ofAnAcceptedConnection(String address, boolean inside) throws Exception {
    CompletableFuture<ByteBuffer> used = new CompletableFuture<>();
    InetSocketAddress at = new InetSocketAddress(address, 0);
    Channel server =
        Congestion.at(at, inside, new ServerBootstrap())
            .group(loops)
            .channel(EpollServerSocketChannel.class)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    used.complete(channel.config().getOption(USED));
                  }
                })
            .bind(at)
            .sync()
            .channel();
    try (Socket client = new Socket()) {
      int port = ((InetSocketAddress) server.localAddress()).getPort();
      client.connect(new InetSocketAddress("127.0.0.1", port));
      return StandardCharsets.US_ASCII.decode(used.get()).toString().replace("\0", "");
    } finally {
      server.close().sync();
    }
  }
}
