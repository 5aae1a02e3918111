package dev.muelle.services.elasticloadbalancingv2;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muelle.linux.NetworkNamespace;
import dev.muelle.network.Network.Use;
import dev.muelle.network.linux.LinuxNetwork;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;

/**
 * Load balancers in a network of the kernel's, with places in it that have addresses of their own.
 */
abstract class OnLinux {

  @TempDir Path directory;
  final String instance = "mb" + HexFormat.of().toHexDigits(new Random().nextInt()).substring(2);
  final List<AutoCloseable> open = new ArrayList<>();
  LinuxNetwork network;
  Machine machine;

  @BeforeEach
  void start() {
    network = new LinuxNetwork(instance);
    machine = new Machine(directory, network);
  }

  @AfterEach
  void nothingIsLeft() throws Exception {
    for (AutoCloseable socket : open) {
      socket.close();
    }
    machine.stop();
    network.removeAll();
    machine.close();
    try (Stream<Path> namespaces = Files.list(NetworkNamespace.DIRECTORY)) {
      assertEquals(
          List.of(),
          namespaces
              .map(path -> path.getFileName().toString())
              .filter(name -> name.startsWith(instance))
              .toList());
    }
  }

  /** A place in the VPC, in the zone of this number. */
  final NetworkInterface place(int zone, String group) {
    String subnet = machine.subnetIds().get(zone);
    NetworkInterface eni =
        machine
            .ec2()
            .createNetworkInterface(r -> r.subnetId(subnet).groups(group))
            .networkInterface();
    network.plug(eni.networkInterfaceId(), Use.NAMESPACE);
    return eni;
  }

  static StandardProtocolFamily family(String address) {
    return address.indexOf(':') < 0 ? StandardProtocolFamily.INET : StandardProtocolFamily.INET6;
  }

  /** Does something in a place, for example opens a socket. */
  final <T> T inside(NetworkInterface eni, Callable<T> work) throws Exception {
    Path path = network.plug(eni.networkInterfaceId(), Use.NAMESPACE).orElseThrow();
    try (NetworkNamespace namespace = new NetworkNamespace(path.getFileName().toString())) {
      return namespace.call(work);
    }
  }

  /** A server in a place: everybody who comes is talked to, on a thread of his own. */
  final void serve(NetworkInterface eni, int port, Consumer<SocketChannel> talk) throws Exception {
    serve(eni, eni.privateIpAddress(), port, talk);
  }

  /** The same at one of its addresses. */
  final void serve(NetworkInterface eni, String address, int port, Consumer<SocketChannel> talk)
      throws Exception {
    ServerSocketChannel server =
        inside(
            eni,
            () ->
                ServerSocketChannel.open(family(address))
                    .bind(new InetSocketAddress(address, port)));
    open.add(server);
    Thread.ofVirtual()
        .start(() -> {
          try {
            while (true) {
              SocketChannel client = server.accept();
              Thread.ofVirtual().start(() -> talk.accept(client));
            }
          } catch (IOException e) {
            // closed
          }
        });
  }
}
