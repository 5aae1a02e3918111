package dev.muelle.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class NetworkNamespacesTest {

  private final String name = "mt" + Integer.toHexString(ThreadLocalRandom.current().nextInt());
  private final NetworkNamespaces namespaces = new NetworkNamespaces("test", 2);

  @AfterEach
  void remove() {
    namespaces.delete(name, () -> {});
    namespaces.close();
    assertFalse(Files.exists(NetworkNamespace.DIRECTORY.resolve(name)));
  }

  @Test
  void linksAddressesAndRoutesAreAsIpSeesThem() {
    String veth = "v" + name.substring(0, 8);
    try (RouteSocket here = RouteSocket.open()) {
      namespaces.create(
          name,
          fd -> {
            here.addPair(veth, "eth0", "02:00:00:00:00:2a", fd);
            try (RouteSocket there = RouteSocket.open()) {
              there.up(there.link("lo"));
              int eth0 = there.link("eth0");
              there.address(eth0, 0x0A4D0002);
              there.up(eth0);
              there.routeTo(0xA9FE0101, eth0);
              there.defaultRoute(0xA9FE0101, eth0, 0x0A4D0002);
            }
          });
      assertTrue(NetworkNamespaces.exists(name));
      String link = Command.run("ip", "-n", name, "-o", "link", "show", "eth0");
      assertTrue(link.contains("02:00:00:00:00:2a") && link.contains(",UP"), link);
      assertTrue(Command.run("ip", "-n", name, "-o", "link", "show", "lo").contains(",UP"));
      String address = Command.run("ip", "-n", name, "-o", "-4", "addr", "show", "eth0");
      assertTrue(address.contains("10.77.0.2/32"), address);
      assertEquals(
          "default via 169.254.1.1 dev eth0 src 10.77.0.2",
          Command.run("ip", "-n", name, "route", "show", "default").trim());
      here.routeTo(0x0A4D0002, here.link(veth));
      assertTrue(
          Command.run("ip", "route", "get", "10.77.0.2").contains("dev " + veth), "routed to it");
      here.deleteLink(veth);
      LinuxException gone = assertThrows(LinuxException.class, () -> here.link(veth));
      assertEquals(LinuxException.ENODEV, gone.errno());
    }
  }

  @Test
  void onlyACompleteOneHasAName() throws Exception {
    assertThrows(
        IllegalStateException.class,
        () ->
            namespaces.create(
                name,
                fd -> {
                  throw new IllegalStateException("not furnished");
                }));
    Path path = NetworkNamespace.DIRECTORY.resolve(name);
    assertFalse(Files.exists(path));
    Files.createFile(path); // a crash
    assertFalse(NetworkNamespaces.exists(name));
    namespaces.create(name, fd -> {});
    assertTrue(NetworkNamespaces.exists(name));
  }
}
