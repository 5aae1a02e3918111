package dev.muelle.engine.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.github.luben.zstd.Zstd;
import dev.muelle.engine.Engine.Image;
import dev.muelle.engine.Engine.RegistryLogin;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.ImageReference;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Images of somebody else's registry, over HTTP. */
class RemotePullTest {

  private static final String PROBLEM = "CannotPullContainerError: ";
  private static final String UNRESOLVED =
      PROBLEM + "pull image manifest has been retried 1 time(s): failed to resolve ref ";

  private Lab lab;
  private FakeRegistry registry;
  private byte[] busybox;
  private byte[] packed;

  @BeforeEach
  void open() throws Exception {
    lab = new Lab();
    registry = new FakeRegistry();
    busybox = Lab.busybox().bytes();
    packed = Lab.gzip(busybox);
  }

  @AfterEach
  void close() throws Exception {
    registry.close();
    lab.close();
  }

  private String simple() throws IOException {
    String digest = registry.image("amd64", List.of(busybox), List.of(packed));
    registry.tag("1", digest);
    return digest;
  }

  private Image pull(String suffix, @Nullable RegistryLogin login) {
    return lab.engine.pull(ImageReference.parse(registry.host() + "/team/app" + suffix), login);
  }

  private String refused(String suffix, @Nullable RegistryLogin login) throws IOException {
    String message = assertThrows(EngineException.class, () -> pull(suffix, login)).getMessage();
    assertTrue(message.startsWith(PROBLEM), message);
    nothingStays();
    return message;
  }

  private void nothingStays() throws IOException {
    assertEquals(List.of(), files("engine/l"));
    assertEquals(List.of(), files("engine/d"));
    assertEquals(List.of(), files("engine/images"));
    assertEquals(List.of(), files("blobs/uploads"));
    assertEquals(List.of(), List.copyOf(lab.blobs.retained("engine-" + lab.instance)));
  }

  private List<Path> files(String directory) throws IOException {
    try (Stream<Path> files = Files.list(lab.directory.resolve(directory))) {
      return files.toList();
    }
  }

  private List<String> run(String image, String script) {
    String id = "c" + System.nanoTime();
    lab.engine.createSandbox(Lab.sandbox(id));
    lab.engine.startContainer(Lab.container(id, id, image, script));
    assertEquals(0, lab.exited(id).exitCode(), () -> lab.texts(id).toString());
    return lab.texts(id);
  }

  @Test
  void runsWhatItPulledWithoutLogin() throws Exception {
    String digest = simple();
    Image image = pull(":1", null);
    assertEquals(new Image(digest, digest), image);
    assertEquals(List.of("amd64"), run(image.id(), "echo $ARCH"));
    assertEquals(image, pull("@" + digest, null));
    registry.close();
    assertEquals(image, pull("@" + digest, null), "what is ready asks no registry");
    // Its manifest and configuration; the layer is unpacked and needs no blob any more.
    assertEquals(2, lab.blobs.retained("engine-" + lab.instance).size());
    assertTrue(lab.blobs.file(Lab.sha256(packed)).isEmpty());
  }

  @Test
  void logsInForAToken() throws Exception {
    simple();
    registry.token = true;
    registry.basic = FakeRegistry.basicOf("me", "secret");
    String denied = refused(":1", new RegistryLogin("me", "wrong"));
    assertTrue(denied.contains("failed to authorize"), denied);
    assertTrue(!denied.contains("wrong"), "no secret in a message");
    assertTrue(refused(":1", null).contains("failed to authorize"));
    registry.seen.clear();
    pull(":1", new RegistryLogin("me", "secret"));
    List<FakeRegistry.Seen> tokens =
        registry.seen.stream().filter(one -> one.path().startsWith("/token")).toList();
    assertEquals(1, tokens.size());
    assertEquals(
        "/token?service=the+quay&scope=repository%3Ateam%2Fapp%3Apull", tokens.getFirst().path());
    assertEquals(registry.basic, tokens.getFirst().authorization());
  }

  @Test
  void anAnonymousTokenWillDoWhereItDoes() throws Exception {
    simple();
    registry.token = true;
    pull(":1", null);
    assertNull(
        registry.seen.stream()
            .filter(one -> one.path().startsWith("/token"))
            .findFirst()
            .orElseThrow()
            .authorization());
  }

  @Test
  void logsInWithUserAndPassword() throws Exception {
    simple();
    registry.basic = FakeRegistry.basicOf("me", "secret");
    String without = refused(":1", null);
    assertTrue(without.contains("no basic auth credentials"), without);
    String wrong = refused(":1", new RegistryLogin("me", "wrong"));
    assertTrue(wrong.contains("pull access denied"), wrong);
    pull(":1", new RegistryLogin("me", "secret"));
  }

  @Test
  void aRedirectDoesNotTakeThePasswordAlong() throws Exception {
    simple();
    registry.basic = FakeRegistry.basicOf("me", "secret");
    try (FakeRegistry elsewhere = new FakeRegistry()) {
      elsewhere.blobs.putAll(registry.blobs);
      registry.elsewhere = elsewhere;
      pull(":1", new RegistryLogin("me", "secret"));
      assertTrue(!elsewhere.seen.isEmpty());
      assertTrue(elsewhere.seen.stream().allMatch(one -> one.authorization() == null));
    }
  }

  @Test
  void wrongBytesAreRefused() throws Exception {
    String digest = simple();
    byte[] other = Lab.gzip(new Tar().directory("other").bytes());
    registry.blobs.put(Lab.sha256(packed), other);
    String layer = refused(":1", null);
    assertTrue(layer.contains(Lab.sha256(packed)), layer);
    registry.blobs.put(Lab.sha256(packed), packed);
    registry.manifests.put(digest, "{\"config\":{},\"layers\":[]}".getBytes());
    String manifest = refused("@" + digest, null);
    assertTrue(manifest.contains("expected " + digest), manifest);
    // A layer that is what the manifest says, but not what the configuration says.
    byte[] wrong = new Tar().directory("wrong").bytes();
    registry.tag("2", registry.image("amd64", List.of(wrong), List.of(packed)));
    String diff = refused(":2", null);
    assertTrue(diff.contains("expected " + Lab.sha256(wrong)), diff);
  }

  @Test
  void aConnectionThatBreaksIsTakenUpWhereItBroke() throws Exception {
    simple();
    registry.cuts.put(Lab.sha256(packed), 100_000);
    registry.cutsLeft = 2;
    assertEquals(List.of("fine"), run(pull(":1", null).id(), "echo fine"));
    List<String> ranges =
        registry.seen.stream()
            .filter(one -> one.path().endsWith(Lab.sha256(packed)) && one.range() != null)
            .map(FakeRegistry.Seen::range)
            .toList();
    assertEquals(2, ranges.size());
    for (String range : ranges) {
      assertTrue(range.matches("bytes=[1-9][0-9]*-"), range);
    }
  }

  @Test
  void aRegistryThatBeginsAnewIsUnderstood() throws Exception {
    simple();
    registry.ranges = false;
    registry.cuts.put(Lab.sha256(packed), 100_000);
    registry.cutsLeft = 1;
    assertEquals(List.of("fine"), run(pull(":1", null).id(), "echo fine"));
  }

  @Test
  void aConnectionThatAlwaysBreaksEndsThePull() throws Exception {
    simple();
    registry.cuts.put(Lab.sha256(packed), 10);
    refused(":1", null);
  }

  @Test
  void theIndexsLineForThisMachineIsChosen() throws Exception {
    byte[] foreign = new Tar().directory("foreign").bytes();
    String mine = registry.image("amd64", List.of(busybox), List.of(packed));
    String arm = registry.image("arm64", List.of(foreign), List.of(foreign));
    String index = registry.index(Map.of("arm64", arm, "amd64", mine, "unknown", arm));
    registry.tag("1", index);
    Image image = pull(":1", null);
    assertEquals(new Image(mine, index), image);
    assertEquals(List.of("amd64"), run(image.id(), "echo $ARCH"));
    assertTrue(registry.seen.stream().noneMatch(one -> one.path().endsWith(arm)));
    registry.close();
    assertEquals(image, pull("@" + index, null), "what is ready asks no registry");
  }

  @Test
  void anIndexWithoutThisMachineIsRefused() throws Exception {
    byte[] foreign = new Tar().directory("foreign").bytes();
    String arm = registry.image("arm64", List.of(foreign), List.of(foreign));
    registry.tag("1", registry.index(Map.of("arm64", arm)));
    assertEquals(
        PROBLEM + "image Manifest does not contain descriptor matching platform 'linux/amd64'",
        refused(":1", null));
  }

  @Test
  void saysWhatIsNotThere() throws Exception {
    String name = registry.host() + "/team/app:nope";
    assertEquals(UNRESOLVED + name + ": " + name + ": not found", refused(":nope", null));
    simple();
    registry.blobs.remove(Lab.sha256(packed));
    assertTrue(refused(":1", null).contains("blob " + Lab.sha256(packed) + ": not found"));
  }

  @Test
  void saysThatNobodyAnswers() throws Exception {
    int port = 1; // tcpmux: no machine listens there, and the kernel gives it to nobody
    String name = "127.0.0.1:" + port + "/team/app:1";
    EngineException refused =
        assertThrows(
            EngineException.class, () -> lab.engine.pull(ImageReference.parse(name), null));
    assertEquals(
        UNRESOLVED
            + name
            + ": failed to do request: Head \"http://127.0.0.1:"
            + port
            + "/v2/team/app/manifests/1\": dial tcp 127.0.0.1:"
            + port
            + ": connect: connection refused",
        refused.getMessage());
    String nowhere = "registry.invalid/team/app:1";
    EngineException unknown =
        assertThrows(
            EngineException.class, () -> lab.engine.pull(ImageReference.parse(nowhere), null));
    assertEquals(
        UNRESOLVED
            + nowhere
            + ": failed to do request: Head \"https://registry.invalid/v2/team/app/manifests/1\":"
            + " dial tcp: lookup registry.invalid: no such host",
        unknown.getMessage());
    nothingStays();
  }

  @Test
  void readsLayersOfEveryCompression() throws Exception {
    byte[] one = new Tar().file("one", "1\n".getBytes(), 0644).bytes();
    byte[] two = new Tar().file("two", "2\n".getBytes(), 0644).bytes();
    byte[] big = new byte[3 << 20];
    new Random(5).nextBytes(big);
    byte[] three = new Tar().file("three", big, 0644).bytes();
    byte[] twoFrames = // as parallel compressors write
        concat(
            Zstd.compress(Arrays.copyOf(three, 1_000_000)),
            Zstd.compress(Arrays.copyOfRange(three, 1_000_000, three.length)));
    registry.tag(
        "1",
        registry.image(
            "amd64",
            List.of(busybox, one, two, three),
            List.of(packed, one, Zstd.compress(two), twoFrames)));
    assertEquals(
        List.of("1", "2", "" + big.length),
        run(pull(":1", null).id(), "cat /one /two; busybox wc -c < /three"));
    byte[] broken = Zstd.compress(three);
    broken[broken.length / 2] ^= 1;
    registry.tag("2", registry.image("amd64", List.of(big), List.of(broken)));
    EngineException e = assertThrows(EngineException.class, () -> pull(":2", null));
    assertTrue(e.getMessage().startsWith(PROBLEM), e.getMessage());
    assertNotNull(e.getCause());
  }

  private static byte[] concat(byte[] one, byte[] two) {
    byte[] both = Arrays.copyOf(one, one.length + two.length);
    System.arraycopy(two, 0, both, one.length, two.length);
    return both;
  }

  @Test
  void manyWhoNeedItAtOnceFetchItOnce() throws Exception {
    String digest = simple();
    List<Future<Image>> all = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 12; i++) {
        all.add(threads.submit(() -> pull(":1", null)));
      }
      for (Future<Image> one : all) {
        assertEquals(digest, one.get().id());
      }
    }
    assertEquals(
        1, registry.seen.stream().filter(s -> s.path().endsWith(Lab.sha256(packed))).count());
  }

  /** Two images share a layer's blob; one's end does not take it from the other. */
  @Test
  void pullsThatShareBlobsDoNotTakeThemFromEachOther() throws Exception {
    List<String> tags = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      byte[] own = new Tar().file("own", ("" + i).getBytes(), 0644).bytes();
      String tag = "t" + i;
      registry.tag(tag, registry.image("amd64", List.of(own, busybox), List.of(own, packed)));
      tags.add(tag);
    }
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Image>> all =
          tags.stream().map(tag -> threads.submit(() -> pull(":" + tag, null))).toList();
      for (Future<Image> one : all) {
        one.get();
      }
    }
    assertEquals(16, lab.blobs.retained("engine-" + lab.instance).size());
  }
}
