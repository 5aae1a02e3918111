package dev.muelle.services.ecs.definition;

import dev.muelle.services.ecs.state.Refuse;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.EnvironmentFile;
import software.amazon.awssdk.services.ecs.model.EnvironmentFileType;

/**
 * Files with variables, as task definitions and overrides name them.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_EnvironmentFile.html">EnvironmentFile</a>
 */
public final class EnvironmentFileRules {

  /** An instance's agent that can fetch them has this attribute. */
  public static final String CAPABILITY = "ecs.capability.env-files.s3";

  private static final int MOST = 10;
  private static final Pattern OBJECT = Pattern.compile("arn:aws:s3:::([^/]+)/(.+\\.env)");

  private EnvironmentFileRules() {}

  /** An object in S3. */
  public record Place(String bucket, String key) {}

  /** Refuses files that no container of a task could get. */
  static void check(List<ContainerDefinition> containers, @Nullable String executionRole) {
    List<EnvironmentFile> all =
        containers.stream().flatMap(container -> container.environmentFiles().stream()).toList();
    check(all);
    if (!all.isEmpty() && executionRole == null) {
      throw Refuse.client(
          "When you are specifying container environment files, you must also specify a value for"
              + " 'executionRoleArn'.");
    }
  }

  static void check(List<EnvironmentFile> files) {
    if (files.size() > MOST) {
      throw Refuse.client("There can be at most 10 environment files.");
    }
    for (EnvironmentFile file : files) {
      if (file.type() != EnvironmentFileType.S3) {
        throw Refuse.client(
            "Invalid environment file type: " + file.typeAsString() + ". It must be s3.");
      }
      if (file.value() == null || !OBJECT.matcher(file.value()).matches()) {
        throw Refuse.client(
            "Invalid environment file: "
                + file.value()
                + ". It must be the ARN of an object in Amazon S3 whose name ends with .env.");
      }
    }
  }

  /** Where a file is that was checked. */
  public static Place place(EnvironmentFile file) {
    Matcher object = OBJECT.matcher(file.value());
    if (!object.matches()) {
      throw new IllegalArgumentException(file.value());
    }
    return new Place(object.group(1), object.group(2));
  }
}
