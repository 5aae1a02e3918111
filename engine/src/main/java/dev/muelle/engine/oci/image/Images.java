package dev.muelle.engine.oci.image;

import dev.muelle.engine.Engine.Image;
import dev.muelle.engine.Engine.RegistryLogin;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.ImageReference;
import dev.muelle.engine.LocalRegistry;
import dev.muelle.engine.blob.BlobStore;
import dev.muelle.engine.oci.image.Manifest.Descriptor;
import dev.muelle.linux.LinuxException;
import dev.muelle.loop.Timers;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** How images get ready to start. What several tasks need at once is fetched once. */
public final class Images implements AutoCloseable {

  private static final int TRIES = 2;

  private final Catalog catalog;
  private final Layers layers;
  private final BlobStore blobs;
  private final LocalRegistry local;
  private final Timers timers;
  private final Limits limits;
  private final String owner;
  private final HttpClient http;
  private final Map<String, ReentrantLock> busy = new ConcurrentHashMap<>();

  /**
   * Images under a directory.
   *
   * @param owner in whose name blobs are retained
   */
  public Images(
      Path directory,
      BlobStore blobs,
      LocalRegistry local,
      Timers timers,
      Limits limits,
      Shelf shelf,
      String owner)
      throws IOException {
    this.layers = new Layers(directory, limits);
    this.catalog =
        new Catalog(
            Files.createDirectories(directory.resolve("images")),
            layers,
            blobs,
            owner,
            timers,
            shelf);
    this.blobs = blobs;
    this.local = local;
    this.timers = timers;
    this.limits = limits;
    this.owner = owner;
    this.http =
        HttpClient.newBuilder()
            .connectTimeout(Duration.ofSeconds(10))
            .followRedirects(HttpClient.Redirect.NEVER)
            .version(HttpClient.Version.HTTP_1_1)
            .build();
  }

  /** Where the bytes of a manifest or layer come from, besides the blobs that are here. */
  private sealed interface Source {
    record Here() implements Source {}

    record Remote(RegistryClient client) implements Source {}
  }

  /**
   * Makes an image ready to start.
   *
   * @throws EngineException in the words of ECS
   */
  public Image pull(ImageReference reference, @Nullable RegistryLogin login) {
    try (Catalog.Claim claim = catalog.claim()) {
      if (local.owns(reference)) {
        String digest =
            local
                .resolve(reference)
                .orElseThrow(() ->
                    new EngineException(
                        RegistryClient.message(reference, reference + ": not found")));
        return ready(digest, new Source.Here(), claim);
      }
      Source source = new Source.Remote(new RegistryClient(http, timers, reference, login));
      return tryTwice(() -> {
        String digest = reference.digest();
        return ready(digest == null ? fetchTag(reference, source, claim) : digest, source, claim);
      });
    } catch (RegistryClient.Unreachable e) {
      throw new EngineException(
          RegistryClient.message(reference, String.valueOf(e.getMessage())), e);
    } catch (IOException | LinuxException e) {
      if (NoSpace.is(e)) {
        throw new EngineException(
            "CannotPullContainerError: ref pull has been retried 1 time(s): failed to extract"
                + " layer of "
                + reference
                + ": no space left on device",
            e);
      }
      throw new EngineException(
          "CannotPullContainerError: failed to copy: " + reference + ": " + e.getMessage(), e);
    } finally {
      catalog.tidySoon();
    }
  }

  /** Something that may fail for a moment. */
  private interface Attempt<T> {
    T run() throws IOException;
  }

  private static <T> T tryTwice(Attempt<T> attempt) throws IOException {
    for (int tried = 1; ; tried++) {
      try {
        return attempt.run();
      } catch (RegistryClient.Unreachable e) {
        if (tried == TRIES) {
          throw e;
        }
      }
    }
  }

  private String fetchTag(ImageReference reference, Source source, Catalog.Claim claim)
      throws IOException {
    String tag = reference.tag() == null ? "latest" : reference.tag();
    return switch (source) {
      case Source.Here() -> throw new IllegalStateException("local images are resolved locally");
      case Source.Remote(RegistryClient client) -> {
        try (InputStream in = client.manifest(tag)) {
          yield put(bounded(in), claim);
        }
      }
    };
  }

  /** Claimed before it is there, so that no other pull's end takes it along. */
  private String put(byte[] bytes, Catalog.Claim claim) throws IOException {
    claim.blob(sha256(bytes));
    return blobs.put(bytes, owner);
  }

  private Image ready(String digest, Source source, Catalog.Claim claim) throws IOException {
    byte[] document = document(digest, source, claim);
    return switch (Manifest.read(document, limits)) {
      case Manifest.OfImage image -> {
        prepare(digest, image, source, claim);
        yield new Image(digest, digest);
      }
      case Manifest.Index index -> {
        String chosen = index.choose("linux", architecture()).digest();
        if (Manifest.read(document(chosen, source, claim), limits)
            instanceof Manifest.OfImage image) {
          prepare(chosen, image, source, claim);
          catalog.keep(chosen, digest, claim);
          yield new Image(chosen, digest);
        }
        throw new LayerException("an index inside an index: " + digest);
      }
    };
  }

  private static String architecture() {
    String name = System.getProperty("os.arch", "");
    return switch (name) {
      case "x86_64", "amd64" -> "amd64";
      case "aarch64" -> "arm64";
      default -> name;
    };
  }

  private void prepare(String id, Manifest.OfImage image, Source source, Catalog.Claim claim)
      throws IOException {
    ReentrantLock lock = busy.computeIfAbsent(id, i -> new ReentrantLock());
    lock.lock();
    try {
      Optional<StoredImage> there = catalog.find(id);
      if (there.isPresent()) {
        claim.layers(there.get().layers());
        if (catalog.find(id).isPresent()) { // it was not removed just before the claim
          catalog.touch(id);
          return;
        }
      }
      byte[] config = document(image.config().digest(), source, claim);
      StoredImage stored = Manifest.image(id, image.config().digest(), config);
      if (stored.layers().size() != image.layers().size()) {
        throw new LayerException("the configuration and the manifest disagree on the layers");
      }
      claim.layers(stored.layers());
      for (int i = 0; i < stored.layers().size(); i++) {
        String diffId = stored.layers().get(i);
        if (!layers.has(diffId)) {
          unpack(diffId, blob(image.layers().get(i), source, claim));
        }
      }
      catalog.add(stored);
    } finally {
      lock.unlock();
    }
  }

  private void unpack(String diffId, Path blob) throws IOException {
    try {
      layers.unpack(diffId, blob);
    } catch (IOException | LinuxException e) {
      if (!NoSpace.is(e) || !catalog.tidy(0)) {
        throw e;
      }
      layers.unpack(diffId, blob); // in the room of images that nothing runs
    }
  }

  /** An image that was made ready. */
  public Optional<StoredImage> find(String id) {
    return catalog.find(id);
  }

  /**
   * An image that stays as it is until {@link #leave}.
   *
   * @param user names who uses it
   */
  public Optional<StoredImage> use(String user, String id) throws IOException {
    return catalog.use(user, id);
  }

  /** The user needs its image no longer. */
  public void leave(String user) {
    catalog.leave(user);
  }

  /** Looks soon whether images have to go. */
  public void tidySoon() {
    catalog.tidySoon();
  }

  /** The directories of an image's layers, the uppermost first, as overlayfs wants them. */
  public List<Path> directories(StoredImage image) throws IOException {
    List<Path> directories = new ArrayList<>();
    for (String diffId : image.layers().reversed()) {
      Path directory = layers.directory(diffId);
      if (!directories.contains(directory)) { // the same twice shows nothing new, and is refused
        directories.add(directory);
      }
    }
    return directories;
  }

  private byte[] document(String digest, Source source, Catalog.Claim claim) throws IOException {
    claim.blob(digest);
    Optional<Path> here = blobs.file(digest);
    if (here.isPresent()) {
      blobs.retain(digest, owner);
      try (InputStream in = Files.newInputStream(here.get())) {
        return bounded(in);
      }
    }
    return switch (source) {
      case Source.Here() -> throw new LayerException("blob " + digest + ": not found");
      case Source.Remote(RegistryClient client) -> {
        byte[] bytes = remoteDocument(client, digest);
        if (!sha256(bytes).equals(digest)) {
          throw new LayerException("received " + sha256(bytes) + ", expected " + digest);
        }
        put(bytes, claim);
        yield bytes;
      }
    };
  }

  private byte[] remoteDocument(RegistryClient client, String digest) throws IOException {
    try (InputStream in = client.manifest(digest)) {
      return bounded(in);
    } catch (EngineException e) {
      // Not a manifest: a configuration is an ordinary blob.
      try (InputStream in = client.blob(digest, 0).body()) {
        return bounded(in);
      } catch (EngineException second) {
        second.addSuppressed(e);
        throw e;
      }
    }
  }

  private byte[] bounded(InputStream in) throws IOException {
    byte[] bytes = in.readNBytes(limits.documentBytes() + 1);
    if (bytes.length > limits.documentBytes()) {
      throw new LayerException("a document over " + limits.documentBytes() + " bytes");
    }
    return bytes;
  }

  private Path blob(Descriptor layer, Source source, Catalog.Claim claim) throws IOException {
    claim.blob(layer.digest());
    Optional<Path> here = blobs.file(layer.digest());
    if (here.isPresent()) {
      blobs.retain(layer.digest(), owner);
      return here.get();
    }
    return switch (source) {
      case Source.Here() -> throw new LayerException("blob " + layer.digest() + ": not found");
      case Source.Remote(RegistryClient client) -> {
        download(client, layer);
        yield blobs
            .file(layer.digest())
            .orElseThrow(() -> new LayerException("blob " + layer.digest() + ": not found"));
      }
    };
  }

  /** Fetches a layer; a connection that breaks is taken up again where it broke. */
  private void download(RegistryClient client, Descriptor layer) throws IOException {
    if (layer.size() > limits.blobBytes()) {
      throw new LayerException(
          "a layer of " + layer.size() + " bytes; the limit is " + limits.blobBytes());
    }
    String upload = blobs.startUpload();
    boolean done = false;
    try {
      long have = 0;
      for (int tried = 1; have < layer.size() || tried == 1; tried++) {
        RegistryClient.Part part = client.blob(layer.digest(), have);
        try (InputStream in = part.body()) {
          in.skipNBytes(have - part.start()); // a registry may start anew
          blobs.append(upload, new Capped(in, limits.blobBytes() - have));
        } catch (LayerException | BlobStore.BlobException e) {
          throw e; // another try would not change it
        } catch (IOException e) {
          if (tried == 3) {
            throw e;
          }
        }
        have = blobs.uploaded(upload).orElse(0L);
        if (tried == 3) {
          break;
        }
      }
      blobs.commit(upload, layer.digest(), owner);
      done = true;
    } finally {
      if (!done && blobs.uploaded(upload).isPresent()) { // a refusal has taken it away already
        blobs.cancelUpload(upload);
      }
    }
  }

  /** Ends with an error after a number of bytes. */
  private static final class Capped extends java.io.FilterInputStream {
    private long left;

    Capped(InputStream in, long limit) {
      super(in);
      left = limit;
    }

    @Override
    public int read() throws IOException {
      int one = super.read();
      if (one >= 0 && --left < 0) {
        throw new LayerException("a layer is larger than its limit");
      }
      return one;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      int read = super.read(bytes, offset, length);
      left -= Math.max(0, read);
      if (left < 0) {
        throw new LayerException("a layer is larger than its limit");
      }
      return read;
    }
  }

  private static String sha256(byte[] bytes) {
    try {
      return "sha256:"
          + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    http.shutdownNow();
  }
}
