package dev.muelle.services.ecs.agent;

import dev.muelle.engine.EngineException;
import dev.muelle.services.Objects;
import dev.muelle.services.ecs.definition.EnvironmentFileRules;
import dev.muelle.services.ecs.definition.EnvironmentFileRules.Place;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.task.TaskFactory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ContainerOverride;
import software.amazon.awssdk.services.ecs.model.EnvironmentFile;

/**
 * Variables from files in S3: of each the first value that the files say, in their order. A line is
 * {@code VARIABLE=VALUE}; quotes and spaces are part of the value; lines that begin with {@code #},
 * and those that are no variable with a value, are passed over.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/use-environment-file.html">Pass
 *     environment variables to a container</a>
 */
final class EnvironmentFiles {

  /** Far more than the kernel gives a process. */
  private static final int MOST_BYTES = 1 << 20;

  private final Objects objects;

  EnvironmentFiles(Objects objects) {
    this.objects = objects;
  }

  /**
   * What a container's files say: those of its override, if it has any, else those of its
   * definition.
   *
   * @throws EngineException if one of them is not to be had
   */
  Map<String, String> variables(TaskRecord task, ContainerDefinition definition) {
    List<EnvironmentFile> files =
        TaskFactory.override(task.task().overrides(), definition.name())
            .filter(ContainerOverride::hasEnvironmentFiles)
            .map(ContainerOverride::environmentFiles)
            .filter(given -> !given.isEmpty())
            .orElse(definition.environmentFiles());
    Map<String, String> variables = new LinkedHashMap<>();
    for (EnvironmentFile file : files) {
      read(EnvironmentFileRules.place(file))
          .lines()
          .filter(line -> !line.startsWith("#"))
          .forEach(line -> {
            int equals = line.indexOf('=');
            if (equals > 0 && equals < line.length() - 1) {
              variables.putIfAbsent(line.substring(0, equals), line.substring(equals + 1));
            }
          });
    }
    return variables;
  }

  private String read(Place place) {
    try {
      Optional<byte[]> content = objects.read(place.bucket(), place.key(), MOST_BYTES);
      if (content.isEmpty()) {
        throw failure(place, "NoSuchKey: The specified key does not exist.");
      }
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content.get())).toString();
    } catch (CharacterCodingException e) {
      throw failure(place, "it is not UTF-8");
    } catch (IOException e) {
      throw failure(place, String.valueOf(e.getMessage()));
    }
  }

  private static EngineException failure(Place place, String why) {
    return new EngineException(
        "ResourceInitializationError: failed to download env files: unable to download env file"
            + " with key "
            + place.key()
            + " from bucket "
            + place.bucket()
            + ", error: "
            + why);
  }
}
