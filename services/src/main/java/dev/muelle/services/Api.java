package dev.muelle.services;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One of the region's own APIs under the names by which clients look for it.
 *
 * @param prefix what its host names begin with: {@code logs}, {@code api.ecr}
 * @see <a href="https://docs.aws.amazon.com/general/latest/gr/rande.html">Service endpoints</a>
 */
public record Api(String prefix, Form form) {

  /** The images of all accounts: each has a host name of its own. */
  public static final Api IMAGES = new Api("dkr.ecr", Form.EACH_ACCOUNT);

  private static final String REGION = "([a-z]{2}(?:-[a-z]+)+-[0-9]{1,2})";
  private static final String DOMAIN = ".amazonaws.com";
  private static final String GLOBAL_REGION = "us-east-1";

  /** How a host name is made of the prefix. */
  public enum Form {
    /** {@code logs.us-east-1.amazonaws.com}. */
    REGIONAL,
    /** {@code 000000000000.dkr.ecr.us-east-1.amazonaws.com}. */
    EACH_ACCOUNT,
    /** {@code iam.amazonaws.com}, which is in the first region. */
    GLOBAL
  }

  /** What its endpoint service is called after {@code com.amazonaws.} and the region. */
  public String service() {
    return switch (prefix) {
      case "api.ecr" -> "ecr.api";
      case "dkr.ecr" -> "ecr.dkr";
      default -> prefix;
    };
  }

  /** Its name in a region, with {@code *} for any account. */
  public String host(String region) {
    return switch (form) {
      case REGIONAL -> prefix + "." + region + DOMAIN;
      case EACH_ACCOUNT -> "*." + prefix + "." + region + DOMAIN;
      case GLOBAL -> prefix + DOMAIN;
    };
  }

  /** What the names of its VPC endpoints in a region end in. */
  public String endpointDomain(String region) {
    return prefix + "." + region + ".vpce" + DOMAIN;
  }

  /** In which region a host name is this API's; empty if it is not. */
  public Optional<String> region(String host) {
    String own = Pattern.quote(prefix);
    return switch (form) {
      case REGIONAL -> named(own, host);
      case EACH_ACCOUNT -> named("[0-9]{12}\\." + own, host);
      case GLOBAL -> host.equals(prefix + DOMAIN) ? Optional.of(GLOBAL_REGION) : Optional.empty();
    };
  }

  private static Optional<String> named(String before, String host) {
    Matcher name = Pattern.compile(before + "\\." + REGION + Pattern.quote(DOMAIN)).matcher(host);
    return name.matches() ? Optional.of(name.group(1)) : Optional.empty();
  }
}
