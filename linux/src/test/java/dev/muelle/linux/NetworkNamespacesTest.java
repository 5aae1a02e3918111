package dev.muelle.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class NetworkNamespacesTest {

  private final String name = "mt" + Integer.toHexString(ThreadLocalRandom.current().nextInt());
  private final NetworkNamespaces namespaces = new NetworkNamespaces("test", 2);

  @AfterEach
  void remove() {
    namespaces.delete(List.of(name));
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
              there.withoutOwnAddress(eth0);
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
      assertEquals("", Command.run("ip", "-n", name, "-6", "addr", "show", "eth0").trim());
      assertEquals(
          "default via 169.254.1.1 dev eth0 src 10.77.0.2",
          Command.run("ip", "-n", name, "route", "show", "default").trim());
      here.routeTo(0x0A4D0002, here.link(veth));
      assertTrue(
          Command.run("ip", "route", "get", "10.77.0.2").contains("dev " + veth), "routed to it");
      here.deleteLinks(List.of("nobody", veth));
      LinuxException gone = assertThrows(LinuxException.class, () -> here.link(veth));
      assertEquals(LinuxException.ENODEV, gone.errno());
    }
  }

  @Test
  void linksGoTogetherAndNoOthersWithThem() {
    List<String> links = List.of("va" + name.substring(2, 7), "vb" + name.substring(2, 7));
    String other = "vc" + name.substring(2, 7);
    try (RouteSocket here = RouteSocket.open()) {
      namespaces.create(
          name,
          fd -> {
            here.addPair(links.get(0), "eth0", "02:00:00:00:00:2a", fd);
            here.addPair(links.get(1), "eth1", "02:00:00:00:00:2b", fd);
            here.addPair(other, "eth2", "02:00:00:00:00:2c", fd);
          });
      here.deleteLinks(links);
      for (String link : links) {
        LinuxException gone = assertThrows(LinuxException.class, () -> here.link(link));
        assertEquals(LinuxException.ENODEV, gone.errno());
      }
      assertTrue(here.link(other) > 0);
      here.deleteLinks(links); // once more: none of them is there
      assertTrue(here.link(other) > 0);
      here.deleteLinks(List.of(other));
    }
  }

  @Test
  void namesGoTogetherAlsoThoseThatAreNone() {
    List<String> all = List.of(name, name + "b", name + "c");
    namespaces.create(all.get(0), fd -> {});
    namespaces.create(all.get(2), fd -> {});
    namespaces.delete(all);
    for (String one : all) {
      assertFalse(Files.exists(NetworkNamespace.DIRECTORY.resolve(one)), one);
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
