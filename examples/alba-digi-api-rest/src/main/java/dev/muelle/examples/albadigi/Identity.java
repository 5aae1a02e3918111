package dev.muelle.examples.albadigi;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which task this is, asked of the task metadata endpoint version 4.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html">Task
 *     metadata version 4</a>
 */
record Identity(String taskId, String address, String zone) {

  private static final Pattern TASK = Pattern.compile("\"TaskARN\"\\s*:\\s*\"[^\"]*/([^\"/]+)\"");
  private static final Pattern ZONE = Pattern.compile("\"AvailabilityZone\"\\s*:\\s*\"([^\"]*)\"");
  private static final Pattern ADDRESS =
      Pattern.compile("\"IPv4Addresses\"\\s*:\\s*\\[\\s*\"([^\"]*)\"");
  private static final int MILLIS = 5_000;

  static Identity discover(Map<String, String> env) throws IOException {
    String endpoint = env.get("ECS_CONTAINER_METADATA_URI_V4");
    if (endpoint == null) {
      return new Identity("none", "127.0.0.1", "none"); // docker run on somebody's laptop
    }
    HttpURLConnection connection =
        (HttpURLConnection) URI.create(endpoint + "/task").toURL().openConnection();
    connection.setConnectTimeout(MILLIS);
    connection.setReadTimeout(MILLIS);
    try (var in = connection.getInputStream()) {
      return parse(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    }
  }

  static Identity parse(String metadata) {
    return new Identity(find(TASK, metadata), find(ADDRESS, metadata), find(ZONE, metadata));
  }

  private static String find(Pattern pattern, String metadata) {
    Matcher matcher = pattern.matcher(metadata);
    return matcher.find() ? matcher.group(1) : "unknown";
  }

  String json(String version) {
    return "{\"task\":\"%s\",\"address\":\"%s\",\"zone\":\"%s\",\"version\":\"%s\"}"
        .formatted(taskId, address, zone, version);
  }
}
