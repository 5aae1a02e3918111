package dev.muelle.region;

import dev.muelle.services.ObjectFiles;
import dev.muelle.services.ecr.Registry;
import dev.muelle.wire.http.HttpHandler;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.time.InstantSource;

/**
 * Which handler a request is for: images go to the registry, links to objects and those in messages
 * lead to these, everything else is an AWS call.
 */
final class FrontDoor implements HttpHandler {

  static final String HEALTH_PATH = "/_muelle/health";
  static final String TIME_PATH = "/_muelle/time";

  private final HttpHandler registry;
  private final ObjectFiles objects;
  private final MessageLinks messages;
  private final HttpHandler aws;
  private final InstantSource clock;

  /**
   * The door.
   *
   * @param clock the region's
   */
  FrontDoor(
      HttpHandler registry,
      ObjectFiles objects,
      MessageLinks messages,
      HttpHandler aws,
      InstantSource clock) {
    this.registry = registry;
    this.objects = objects;
    this.messages = messages;
    this.aws = aws;
    this.clock = clock;
  }

  @Override
  public HttpResponse handle(HttpRequest request) throws IOException {
    String path = request.path();
    if (path.startsWith(Registry.PATH) || path.equals("/v2")) {
      return registry.handle(request);
    }
    if (path.equals(HEALTH_PATH)) {
      return HttpResponse.of(200, "text/plain", "ok\n");
    }
    if (path.equals(TIME_PATH)) {
      return HttpResponse.of(200, "text/plain", clock.instant() + "\n");
    }
    if (path.startsWith(ObjectFiles.LINKS)) {
      return objects.follow(path);
    }
    if (messages.takes(request)) {
      return messages.handle(request);
    }
    return aws.handle(request);
  }
}
