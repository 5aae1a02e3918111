package dev.muelle.region.demo;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import software.amazon.awssdk.services.ecr.EcrClient;
import software.amazon.awssdk.services.ecr.model.RepositoryAlreadyExistsException;
import software.amazon.awssdk.services.ecr.model.RepositoryNotFoundException;

/** An example's repository in ECR. */
public final class Repository {

  private final EcrClient ecr;
  private final ExampleImage image;
  private final String name;
  private final String registry;

  /**
   * A repository that need not be there yet.
   *
   * @param registry where to push, for example {@code localhost:4566}
   */
  public Repository(EcrClient ecr, ExampleImage image, String registry) {
    this.ecr = ecr;
    this.image = image;
    this.name = image.example().name();
    this.registry = registry;
  }

  /** Makes the repository if it is not there; gives its URI. */
  public String uri() {
    try {
      return ecr.createRepository(r -> r.repositoryName(name)).repository().repositoryUri();
    } catch (RepositoryAlreadyExistsException e) {
      return ecr.describeRepositories(r -> r.repositoryNames(name))
          .repositories()
          .getFirst()
          .repositoryUri();
    }
  }

  /** Pushes the image; gives its digest. */
  public String push(Map<String, String> environment, String tag) throws Exception {
    String token = ecr.getAuthorizationToken().authorizationData().getFirst().authorizationToken();
    String[] login =
        new String(Base64.getDecoder().decode(token), StandardCharsets.UTF_8).split(":", 2);
    return image.push(registry + "/" + name + ":" + tag, login[0], login[1], environment);
  }

  /** Makes the repository and pushes the image; gives the name for a task definition. */
  public String publish(Map<String, String> environment, String tag) throws Exception {
    String uri = uri();
    push(environment, tag);
    return uri + ":" + tag;
  }

  /** Deletes it with its images; gives what came of it. */
  public String remove() {
    try {
      ecr.deleteRepository(r -> r.repositoryName(name).force(true));
      return "done";
    } catch (RepositoryNotFoundException e) {
      return "is not there";
    }
  }
}
