package dev.muelle.wire.http;

import java.io.IOException;

/** Answers requests; called on a virtual thread, so it may block. */
@FunctionalInterface
public interface HttpHandler {
  HttpResponse handle(HttpRequest request) throws IOException;
}
