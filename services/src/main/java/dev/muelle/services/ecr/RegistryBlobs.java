package dev.muelle.services.ecr;

import dev.muelle.services.ecr.Base.LayerRow;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The registry protocol's blobs and their uploads. */
final class RegistryBlobs {

  private static final int CHUNK = 64 * 1024;
  private static final Pattern CONTENT_RANGE =
      Pattern.compile("(?:bytes )?(\\d{1,18})-(\\d{1,18})(?:/.*)?");
  private static final Pattern RANGE = Pattern.compile("bytes=(\\d{0,18})-(\\d{0,18})");

  private final Ecr ecr;

  RegistryBlobs(Ecr ecr) {
    this.ecr = ecr;
  }

  // --- reading

  HttpResponse get(String name, String digest, HttpRequest request) throws IOException {
    if (!Names.isDigest(digest)) {
      throw RegistryError.digest(digest);
    }
    LayerRow layer =
        ecr.layers().find(name, digest).orElseThrow(() -> RegistryError.unknownBlob(digest));
    Path file = ecr.layers().file(layer);
    HttpResponse answer =
        HttpResponse.of(200)
            .header("Content-Type", "application/octet-stream")
            .header("Docker-Content-Digest", digest)
            .header("Accept-Ranges", "bytes")
            .header("ETag", "\"" + digest + "\"");
    Optional<String> range = request.header("range");
    Matcher asked = RANGE.matcher(range.orElse(""));
    if (range.isEmpty() || !asked.matches() || asked.group().equals("bytes=-")) {
      return answer.body(layer.size(), out -> copy(file, 0, layer.size(), out)); // RFC 9110, 14.2
    }
    long first = first(asked, layer.size());
    long last = last(asked, layer.size());
    if (first > last || first >= layer.size()) {
      return new RegistryError(416, "SIZE_INVALID", "the blob has " + layer.size() + " bytes")
          .response()
          .header("Content-Range", "bytes */" + layer.size());
    }
    HttpResponse part =
        new HttpResponse(206, answer.headers(), 0, HttpResponse.Body.EMPTY)
            .header("Content-Range", "bytes " + first + "-" + last + "/" + layer.size());
    return part.body(last - first + 1, out -> copy(file, first, last - first + 1, out));
  }

  private static long first(Matcher asked, long size) {
    return asked.group(1).isEmpty()
        ? Math.max(0, size - Long.parseLong(asked.group(2)))
        : Long.parseLong(asked.group(1));
  }

  private static long last(Matcher asked, long size) {
    return asked.group(1).isEmpty() || asked.group(2).isEmpty()
        ? size - 1
        : Math.min(size - 1, Long.parseLong(asked.group(2)));
  }

  private static void copy(Path file, long from, long length, OutputStream out) throws IOException {
    try (FileChannel in = FileChannel.open(file)) {
      in.position(from);
      ByteBuffer chunk = ByteBuffer.allocate(CHUNK);
      long left = length;
      while (left > 0) {
        chunk.clear().limit((int) Math.min(CHUNK, left));
        int n = in.read(chunk);
        if (n < 0) {
          throw new EOFException(file + " is shorter than it should be");
        }
        out.write(chunk.array(), 0, n);
        left -= n;
      }
    }
  }

  // --- uploading

  HttpResponse start(String name, Query query, HttpRequest request) throws IOException {
    Optional<String> mount = query.get("mount");
    if (mount.isPresent()) {
      String digest = requireDigest(mount.get());
      Optional<String> from = query.get("from").filter(Names::isRepository);
      if (from.isPresent() && ecr.layers().mount(name, from.get(), digest)) {
        return created(name, digest);
      }
    } else if (query.get("digest").isPresent()) {
      String digest = requireDigest(query.get("digest").get());
      String id = ecr.layers().start(name);
      return receive(name, id, digest, request);
    }
    String id = ecr.layers().start(name);
    return progress(202, name, id, 0);
  }

  /** All in one: what fails leaves no upload behind, because nobody knows its id. */
  private HttpResponse receive(String name, String id, String digest, HttpRequest request)
      throws IOException {
    try {
      ecr.layers().append(name, id, body(request));
      ecr.layers().complete(name, id, digest);
      return created(name, digest);
    } finally {
      if (ecr.layers().uploaded(name, id).isPresent()) {
        ecr.layers().cancel(name, id);
      }
    }
  }

  HttpResponse status(String name, String id) throws IOException {
    return progress(204, name, id, size(name, id));
  }

  HttpResponse append(String name, String id, HttpRequest request) throws IOException {
    long size = size(name, id);
    Optional<String> range = request.header("content-range");
    if (range.isPresent()) {
      Matcher matcher = CONTENT_RANGE.matcher(range.get());
      if (!matcher.matches() || Long.parseLong(matcher.group(1)) != size) {
        return progress(416, name, id, size);
      }
      long expected = Long.parseLong(matcher.group(2)) - size + 1;
      Optional<Long> length = length(request);
      if (expected < 0 || length.isPresent() && length.get() != expected) {
        return progress(416, name, id, size);
      }
      long now = ecr.layers().append(name, id, new Exact(request.body(), expected));
      return progress(202, name, id, now);
    }
    return progress(202, name, id, ecr.layers().append(name, id, body(request)));
  }

  HttpResponse finish(String name, String id, Query query, HttpRequest request) throws IOException {
    long size = size(name, id);
    String digest = requireDigest(query.get("digest").orElse(""));
    Optional<String> range = request.header("content-range");
    if (range.isPresent()) {
      Matcher matcher = CONTENT_RANGE.matcher(range.get());
      if (!matcher.matches() || Long.parseLong(matcher.group(1)) != size) {
        return progress(416, name, id, size);
      }
    }
    ecr.layers().append(name, id, body(request));
    ecr.layers().complete(name, id, digest);
    return created(name, digest);
  }

  HttpResponse cancel(String name, String id) throws IOException {
    size(name, id);
    ecr.layers().cancel(name, id);
    return HttpResponse.of(204);
  }

  private long size(String name, String id) throws IOException {
    return ecr.layers().uploaded(name, id).orElseThrow(() -> RegistryError.unknownUpload(id));
  }

  private static HttpResponse created(String name, String digest) {
    return HttpResponse.of(201)
        .header("Location", "/v2/" + name + "/blobs/" + digest)
        .header("Docker-Content-Digest", digest);
  }

  private static HttpResponse progress(int status, String name, String id, long size) {
    return HttpResponse.of(status)
        .header("Location", "/v2/" + name + "/blobs/uploads/" + id)
        .header("Range", "0-" + Math.max(0, size - 1))
        .header("Docker-Upload-UUID", id);
  }

  private static String requireDigest(String digest) {
    if (!Names.isDigest(digest)) {
      throw RegistryError.digest(digest);
    }
    return digest;
  }

  private static Optional<Long> length(HttpRequest request) {
    try {
      return request.header("content-length").map(Long::parseLong);
    } catch (NumberFormatException e) {
      throw new RegistryError(400, "SIZE_INVALID", "Content-Length is no number");
    }
  }

  private static InputStream body(HttpRequest request) {
    Optional<Long> length = length(request);
    return length.isPresent() ? new Exact(request.body(), length.get()) : request.body();
  }

  /** A body that breaks off, or goes on, is an error, whatever the server below makes of it. */
  private static final class Exact extends FilterInputStream {
    private long left;

    Exact(InputStream in, long length) {
      super(in);
      this.left = length;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      int n = super.read(bytes, offset, length);
      left -= Math.max(0, n);
      if (left < 0) {
        throw new RegistryError(400, "SIZE_INVALID", "the body is longer than was said");
      }
      if (n < 0 && left > 0) {
        throw new EOFException("the body broke off with " + left + " bytes missing");
      }
      return n;
    }
  }
}
