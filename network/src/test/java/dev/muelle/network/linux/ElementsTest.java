package dev.muelle.network.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.linux.Command;
import dev.muelle.linux.FilterSocket;
import dev.muelle.linux.LinuxException;
import dev.muelle.linux.NetworkNamespace;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whether the kernel, told directly, has what nft would have made of the same words. */
class ElementsTest {

  private static final String SETS =
      """
      table inet vpc {
        set bound { type ifname . ipv4_addr; }
        map ingress { type ipv4_addr : mark; }
        map public { type ipv4_addr : ipv4_addr; }
        chain out_of_sg_1 { }
        map egress { type ipv4_addr : verdict; }
        set members_sg_1 { type ipv4_addr; }
      }
      """;

  private static final String ADDED =
      """
      add element inet vpc bound { "v0123456789abc" . 10.0.0.7 }
      add element inet vpc egress { 10.0.0.7 : jump out_of_sg_1 }
      add element inet vpc members_sg_1 { 10.0.0.7 }
      add element inet vpc public { 10.0.0.7 : 203.0.113.9 }
      add element inet vpc ingress { 10.0.0.7 : 0x80c0ffee }
      """;

  private final String name = "mt" + UUID.randomUUID().toString().substring(0, 8);
  private final NetworkNamespace inside = new NetworkNamespace(name);
  private FilterSocket socket;

  @BeforeEach
  void open() throws Exception {
    Command.run("ip", "netns", "add", name);
    nft(SETS);
    socket = inside.call(FilterSocket::open);
  }

  @AfterEach
  void close() {
    socket.close();
    inside.close();
    Command.run("ip", "netns", "del", name);
  }

  private void nft(String script) {
    Command.runWith(script, "ip", "netns", "exec", name, "nft", "-f", "-");
  }

  private String rules() {
    return Command.run("ip", "netns", "exec", name, "nft", "list", "ruleset");
  }

  private void tell(String script) {
    socket.apply(Ruleset.NAME, Elements.read(script).orElseThrow());
  }

  private static String deleted() {
    return ADDED.replace("add ", "delete ").replaceAll(" : [^}]*}", " }");
  }

  @Test
  void comesAndGoesAsWithNft() {
    String empty = rules();
    nft(ADDED);
    String byNft = rules();
    nft(deleted());
    assertEquals(empty, rules());
    tell(ADDED);
    assertEquals(byNft, rules());
    tell(ADDED); // once more is no error
    assertEquals(byNft, rules());
    tell(deleted());
    assertEquals(empty, rules());
  }

  @Test
  void allOrNothing() {
    String empty = rules();
    String unknown = "add element inet vpc egress { 10.0.0.8 : jump out_of_nothing }\n";
    for (String script : List.of(ADDED + unknown, unknown + ADDED)) {
      LinuxException refused = assertThrows(LinuxException.class, () -> tell(script));
      assertEquals(LinuxException.ENOENT, refused.errno());
      assertEquals(empty, rules());
    }
    assertThrows(LinuxException.class, () -> tell(deleted()));
    tell(ADDED); // the socket is as good as before
    assertFalse(rules().equals(empty));
  }

  @Test
  void whateverElseThereIsToSayIsForNft() {
    for (String other :
        List.of(
            "add chain inet vpc x\n",
            "flush set inet vpc bound\n",
            "add element inet vpc inside { 10.0.0.0/16 }\n",
            "add element inet vpc members_sg_1 { 10.0.0.7, 10.0.0.8 }\n",
            "add element inet vpc bound { \"a name too long for a link\" . 10.0.0.7 }\n",
            "add element inet other members_sg_1 { 10.0.0.7 }\n")) {
      assertTrue(Elements.read(ADDED + other).isEmpty(), other);
    }
    assertEquals(5, Elements.read(ADDED).orElseThrow().size());
  }

  @Test
  void aRefusalIsInTheWordsOfNft() throws Exception {
    try (Filters filters = new Filters(inside)) {
      filters.apply(ADDED);
      assertTrue(rules().contains("203.0.113.9"));
      RuntimeException refused =
          assertThrows(
              RuntimeException.class,
              () -> filters.apply("delete element inet vpc members_sg_1 { 10.0.0.99 }\n"));
      assertTrue(refused.getMessage().contains("No such file"), refused.getMessage());
      filters.apply(deleted() + "add chain inet vpc other\n"); // not only elements
      assertFalse(rules().contains("203.0.113.9"));
    }
  }
}
