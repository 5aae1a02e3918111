package dev.muelle.region;

import dev.muelle.wire.http.HttpHandler;
import dev.muelle.wire.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where a task or an instance gets the certificate of the region's own authority, which it has to
 * trust before it speaks to the region's APIs: at its own metadata addresses, which only this
 * server answers, and on the host.
 */
final class TrustAnchor {

  static final String PATH = "/_muelle/authority.pem";

  private final Path certificate;

  TrustAnchor(Path certificate) {
    this.certificate = certificate;
  }

  /** The same server, which has the certificate, too. */
  HttpHandler beside(HttpHandler other) {
    return request ->
        request.path().equals(PATH)
            ? HttpResponse.of(200, "application/x-pem-file", Files.readString(certificate))
            : other.handle(request);
  }
}
