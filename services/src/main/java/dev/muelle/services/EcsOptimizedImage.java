package dev.muelle.services;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * The ECS-optimized image that a region's instances start from, and the public parameters of
 * Systems Manager that name it.
 *
 * @param id its id in this region
 * @param arm whether it is for arm64, otherwise for x86_64: what this machine is
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/retrieve-ecs-optimized_AMI.html">
 *     Retrieving Amazon ECS-optimized Linux AMI metadata</a>
 */
public record EcsOptimizedImage(String id, String name, boolean arm) {

  /** Of the agent that instances run. */
  public static final String AGENT = "1.100.0";

  /** Of the container runtime that the agent tells. */
  public static final String RUNTIME = "25.0";

  public static final String CREATED = "2025-11-08T00:00:00.000Z";

  private static final String VERSION = "2023.0.20251108";
  private static final String PREFIX = "/aws/service/ecs/optimized-ami/amazon-linux-2023/";

  /** What a parameter's name begins with where an image is asked for. */
  public static final String RESOLVE = "resolve:ssm:";

  /** A region's. */
  public static EcsOptimizedImage of(Scope scope) {
    boolean arm = System.getProperty("os.arch", "").equals("aarch64");
    String name = "al2023-ami-ecs-hvm-" + VERSION + "-kernel-6.1-" + (arm ? "arm64" : "x86_64");
    // the same for the same image in the same region, wherever this runs
    UUID hash =
        UUID.nameUUIDFromBytes((name + "/" + scope.region()).getBytes(StandardCharsets.UTF_8));
    return new EcsOptimizedImage(
        "ami-0" + hash.toString().replace("-", "").substring(0, 16), name, arm);
  }

  public String description() {
    return "Amazon Linux AMI " + VERSION + " ECS HVM EBS";
  }

  /** Values by the names of parameters: all of it as JSON, and its members one by one. */
  public Map<String, String> parameters() {
    Map<String, String> members = new LinkedHashMap<>();
    members.put("ecs_agent_version", AGENT);
    members.put("ecs_runtime_version", "Docker version " + RUNTIME);
    members.put("image_id", id);
    members.put("image_name", name);
    members.put("image_version", VERSION);
    members.put("os", "Amazon Linux 2023");
    members.put("schema_version", "1");
    StringBuilder json = new StringBuilder();
    members.forEach((key, value) -> {
      String quote = key.equals("schema_version") ? "" : "\"";
      json.append(json.isEmpty() ? "{" : ",");
      json.append('"').append(key).append("\":").append(quote).append(value).append(quote);
    });
    Map<String, String> all = new LinkedHashMap<>();
    for (String version : new String[] {"recommended", name}) {
      String path = PREFIX + (arm ? "arm64/" : "") + version;
      all.put(path, json + "}");
      members.forEach((key, value) -> all.put(path + "/" + key, value));
    }
    return all;
  }

  /**
   * The id of the image that a launch means by a parameter's name instead of an id.
   *
   * @param said {@code resolve:ssm:} and the parameter's name
   * @see <a
   *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-systems-manager-parameter-to-find-AMI.html">
   *     Reference AMIs using Systems Manager parameters</a>
   */
  public Optional<String> resolve(String said) {
    return Optional.ofNullable(parameters().get(said.substring(RESOLVE.length())))
        .filter(id::equals);
  }
}
