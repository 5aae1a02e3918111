package dev.muelle.engine.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.engine.Engine.Image;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.ImageReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Layers that strangers made. */
class HostileLayersTest {
  private static final byte[] CONTENT = "content".getBytes();

  private Lab lab;
  private Path victim;

  @BeforeEach
  void open() throws Exception {
    lab = new Lab();
    victim = Files.createDirectories(lab.directory.resolve("victim"));
  }

  @AfterEach
  void close() throws Exception {
    lab.close();
  }

  private void pull(Tar... tars) throws Exception {
    List<byte[]> layers = Stream.of(tars).map(Tar::bytes).toList();
    lab.image("it", Map.of(), layers, layers);
    lab.engine.pull(ImageReference.parse("local.test/it"), null);
  }

  private void refused(String why, Tar... tars) throws Exception {
    EngineException e = assertThrows(EngineException.class, () -> pull(tars));
    assertTrue(e.getMessage().startsWith("CannotPullContainerError: "), e.getMessage());
    assertTrue(e.getMessage().contains(why), e.getMessage());
    assertEquals(List.of(), layers());
    nothingOutside();
  }

  private List<Path> layers() throws Exception {
    try (Stream<Path> files = Files.list(lab.directory.resolve("engine/l"))) {
      return files.toList();
    }
  }

  private void nothingOutside() throws Exception {
    try (Stream<Path> files = Files.list(victim)) {
      assertEquals(List.of(), files.toList());
    }
  }

  @Test
  void refusesWhatReachesOutside() throws Exception {
    refused("outside", new Tar().file("../victim/x", CONTENT, 0644));
    refused("outside", new Tar().directory("a").file("a/../../../victim/x", CONTENT, 0644));
    refused("outside", new Tar().hardLink("x", "../../../etc/passwd"));
    refused("symbolic links", new Tar().link("etc", "/etc").hardLink("x", "etc/passwd"));
    refused("device", new Tar().device("disk", 8, 0));
    refused("device", new Tar().device("mem", 1, 1));
    refused("device", new Tar().device("whiteout", 0, 0));
  }

  @Test
  void keepsLinksInside() throws Exception {
    pull(
        new Tar()
            .link("out", victim.toString())
            .file("out/x", CONTENT, 0644)
            .link("up", "../../../../../../../..")
            .file("up/y", CONTENT, 0644)
            .add("/absolute", TarConstants.LF_NORMAL, 0644, "", CONTENT, Map.of()));
    nothingOutside();
    Path layer = layers().getFirst();
    assertTrue(Files.exists(layer.resolve(victim.toString().substring(1) + "/x")));
    assertTrue(Files.exists(layer.resolve("y")));
    assertTrue(Files.exists(layer.resolve("absolute")));
  }

  @Test
  void theLaterOfTwoWinsAndNoFileIsWrittenThroughALink() throws Exception {
    Path target = victim.resolve("x");
    pull(
        new Tar()
            .link("f", target.toString())
            .file("f", CONTENT, 0644)
            .file("d", CONTENT, 0644)
            .directory("d")
            .file("d/in", CONTENT, 04755));
    nothingOutside();
    Path layer = layers().getFirst();
    assertFalse(Files.isSymbolicLink(layer.resolve("f")));
    assertEquals(04755, (int) Files.getAttribute(layer.resolve("d/in"), "unix:mode") & 07777);
  }

  @Test
  void refusesALayerWithAnotherContent() throws Exception {
    byte[] said = new Tar().file("a", CONTENT, 0644).bytes();
    byte[] sent = new Tar().file("b", CONTENT, 0644).bytes();
    lab.image("it", Map.of(), List.of(said), List.of(sent));
    EngineException e =
        assertThrows(
            EngineException.class,
            () -> lab.engine.pull(ImageReference.parse("local.test/it"), null));
    assertTrue(e.getMessage().contains("expected"), e.getMessage());
    assertEquals(List.of(), layers());
  }

  @Test
  void whiteoutsHideWhatLiesBelow() throws Exception {
    byte[] base =
        Lab.busybox()
            .directory("data")
            .file("data/a", CONTENT, 0644)
            .file("gone", CONTENT, 0644)
            .bytes();
    byte[] upper =
        new Tar()
            .file(".wh.gone", new byte[0], 0644)
            .directory("data")
            .file("data/.wh..wh..opq", new byte[0], 0644)
            .file("data/b", CONTENT, 0644)
            .bytes();
    lab.image("it", Map.of(), List.of(base, upper), List.of(base, Lab.gzip(upper)));
    String image = lab.engine.pull(ImageReference.parse("local.test/it"), null).id();
    lab.engine.createSandbox(Lab.sandbox("s1"));
    lab.engine.startContainer(
        Lab.container("c1", "s1", image, "ls /data; [ -e /gone ] || echo gone"));
    lab.exited("c1");
    assertEquals(List.of("b", "gone"), lab.texts("c1"));
  }

  @Test
  void choosesThisMachinesPlatform() throws Exception {
    byte[] layer = Lab.busybox().bytes();
    String image = lab.image("it", Map.of(), List.of(layer), List.of(layer));
    for (String architecture : List.of("amd64", "s390x")) {
      byte[] index =
          new ObjectMapper()
              .writeValueAsBytes(
                  Map.of(
                      "schemaVersion",
                      2,
                      "manifests",
                      List.of(
                          Map.of(
                              "digest",
                              image,
                              "size",
                              1,
                              "platform",
                              Map.of("os", "linux", "architecture", architecture)))));
      String digest = lab.blobs.put(index, "test");
      lab.tags.put("many", digest);
      ImageReference many = ImageReference.parse("local.test/many");
      if (architecture.equals("amd64")) {
        assertEquals(new Image(image, digest), lab.engine.pull(many, null));
      } else {
        EngineException e = assertThrows(EngineException.class, () -> lab.engine.pull(many, null));
        assertEquals(
            "CannotPullContainerError: image Manifest does not contain descriptor matching platform"
                + " 'linux/amd64'",
            e.getMessage());
      }
    }
  }

  @Test
  void unreachableAndMissingAreSaidAsOnEcs() {
    EngineException missing =
        assertThrows(
            EngineException.class,
            () -> lab.engine.pull(ImageReference.parse("local.test/none"), null));
    assertTrue(missing.getMessage().endsWith("local.test/none:latest: not found"));
    EngineException refused =
        assertThrows(
            EngineException.class,
            () -> lab.engine.pull(ImageReference.parse("127.0.0.1:1/none"), null));
    assertTrue(refused.getMessage().contains("connection refused"), refused.getMessage());
    EngineException unknown =
        assertThrows(
            EngineException.class,
            () -> lab.engine.pull(ImageReference.parse("nowhere.invalid/none"), null));
    assertTrue(unknown.getMessage().contains("no such host"), unknown.getMessage());
  }
}
