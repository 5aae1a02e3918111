package dev.muelle.network.linux;

import dev.muelle.network.NameSource;
import dev.muelle.network.SocketSpace;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The VPC's own resolver, over UDP and TCP, at the base of the VPC's range plus two and at
 * 169.254.169.253.
 *
 * @see <a href="https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html">Amazon
 *     DNS</a>
 */
final class Resolver implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Resolver.class);
  private static final int PORT = 53;
  private static final int MAX_AT_ONCE = 256;
  private static final int TCP_MILLIS = 10_000;

  private final String vpcId;
  private final SocketSpace space;
  private final List<String> addresses;
  private final Answers answers;
  private final Semaphore slots = new Semaphore(MAX_AT_ONCE);
  private final List<AutoCloseable> sockets = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();

  Resolver(String vpcId, List<NameSource> sources, SocketSpace space, List<String> addresses) {
    this.vpcId = vpcId;
    this.space = space;
    this.addresses = addresses;
    this.answers = new Answers(vpcId, sources);
  }

  void start() {
    try {
      for (String address : addresses) {
        InetSocketAddress at = new InetSocketAddress(address, PORT);
        DatagramChannel udp =
            space.call(() -> DatagramChannel.open(StandardProtocolFamily.INET).bind(at));
        sockets.add(udp);
        ServerSocketChannel tcp =
            space.call(() ->
                ServerSocketChannel.open(StandardProtocolFamily.INET)
                    .setOption(StandardSocketOptions.SO_REUSEADDR, true)
                    .bind(at));
        sockets.add(tcp);
        threads.add(Thread.ofPlatform().daemon().name("dns-" + vpcId).start(() -> receive(udp)));
        threads.add(Thread.ofVirtual().name("dns-tcp-" + vpcId).start(() -> accept(tcp)));
      }
    } catch (IOException e) {
      close();
      throw new UncheckedIOException("the resolver of " + vpcId + " cannot listen", e);
    } catch (RuntimeException e) {
      close();
      throw e;
    } catch (Exception e) {
      close();
      throw new IllegalStateException("the resolver of " + vpcId + " cannot listen", e);
    }
  }

  private void receive(DatagramChannel socket) {
    ByteBuffer buffer = ByteBuffer.allocate(Answers.MAX_MESSAGE);
    while (socket.isOpen()) {
      try {
        buffer.clear();
        InetSocketAddress client = (InetSocketAddress) socket.receive(buffer);
        byte[] query = new byte[buffer.flip().remaining()];
        buffer.get(query);
        if (slots.tryAcquire()) { // more is dropped: the client asks again
          Thread.startVirtualThread(() -> {
            try {
              byte[] answer = answers.answer(query, true, client.getHostString());
              socket.send(ByteBuffer.wrap(answer), client);
            } catch (IOException | RuntimeException e) {
              LOG.debug("a query could not be answered", e);
            } finally {
              slots.release();
            }
          });
        }
      } catch (IOException e) {
        if (socket.isOpen()) {
          LOG.debug("receiving failed", e);
        }
      }
    }
  }

  private void accept(ServerSocketChannel listener) {
    while (listener.isOpen()) {
      try {
        SocketChannel client = listener.accept();
        if (slots.tryAcquire()) {
          Thread.startVirtualThread(() -> converse(client));
        } else {
          client.close();
        }
      } catch (IOException e) {
        if (listener.isOpen()) {
          LOG.debug("accepting failed", e);
        }
      }
    }
  }

  private void converse(SocketChannel client) {
    try (client) {
      client.socket().setSoTimeout(TCP_MILLIS);
      String address = ((InetSocketAddress) client.getRemoteAddress()).getHostString();
      DataInputStream in = new DataInputStream(client.socket().getInputStream());
      DataOutputStream out = new DataOutputStream(client.socket().getOutputStream());
      while (true) {
        byte[] query = new byte[in.readUnsignedShort()];
        in.readFully(query);
        byte[] answer = answers.answer(query, false, address);
        out.writeShort(answer.length);
        out.write(answer);
        out.flush();
      }
    } catch (IOException | RuntimeException e) {
      LOG.debug("a conversation ended", e); // mostly: the client is done
    } finally {
      slots.release();
    }
  }

  /** Returns when nobody is answered any more: a socket is there as long as a thread uses it. */
  @Override
  public void close() {
    for (AutoCloseable socket : sockets) {
      try {
        socket.close();
      } catch (Exception e) {
        LOG.debug("closing failed", e);
      }
    }
    for (Thread thread : threads) {
      try {
        thread.join(Duration.ofSeconds(5));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}
