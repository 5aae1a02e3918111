package dev.muelle.wire;

import dev.muelle.wire.http.HttpResponse;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * Reads the body into memory, up to a limit, and unpacks it: for some operations SDKs <a
 * href="https://smithy.io/2.0/spec/behavior-traits.html#requestcompression-trait">compress</a>
 * large ones.
 */
final class ReadBody implements Chain.Step {
  private final int limit;

  ReadBody(int limit) {
    this.limit = limit;
  }

  @Override
  public HttpResponse take(Exchange exchange, Chain.Next next) throws IOException {
    exchange
        .request()
        .header("x-amz-content-sha256")
        .filter(hash -> hash.startsWith("STREAMING-"))
        .ifPresent(hash -> {
          throw new WireException(
              Fault.NOT_IMPLEMENTED,
              "A body signed in chunks (" + hash + ") is not accepted: sign it as a whole.");
        });
    long announced = exchange.request().header("content-length").map(ReadBody::length).orElse(-1L);
    if (announced > limit) {
      throw tooLarge();
    }
    byte[] body = read(exchange.request().body());
    String packed = exchange.request().header("content-encoding").orElse("");
    exchange.body(body, packed.equals("gzip") ? unpack(body) : body);
    return next.proceed(exchange);
  }

  private byte[] unpack(byte[] body) throws IOException {
    try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(body))) {
      return read(in);
    } catch (ZipException | EOFException e) {
      throw new WireException(Fault.MALFORMED, "The body is not valid gzip.");
    }
  }

  private static long length(String header) {
    try {
      return Long.parseLong(header.strip());
    } catch (NumberFormatException e) {
      return -1; // what is read decides
    }
  }

  private byte[] read(InputStream in) throws IOException {
    byte[] bytes = in.readNBytes(limit + 1);
    if (bytes.length > limit) {
      throw tooLarge();
    }
    return bytes;
  }

  private WireException tooLarge() {
    return new WireException(
        Fault.TOO_LARGE, "The request body is larger than the limit of " + limit + " bytes.");
  }
}
