package dev.muelle.services.ec2.endpoint;

import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import java.util.List;
import software.amazon.awssdk.services.ec2.model.DescribePrefixListsRequest;
import software.amazon.awssdk.services.ec2.model.DescribePrefixListsResponse;
import software.amazon.awssdk.services.ec2.model.PrefixList;

/**
 * Prefix lists of services that gateway endpoints lead to. There are none here, and so no lists;
 * those that users make are described as managed ones.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribePrefixLists.html">DescribePrefixLists</a>
 */
public final class ServicePrefixLists {

  private static final Filters<PrefixList> FILTERS =
      new Filters<PrefixList>().none("prefix-list-id", "prefix-list-name");

  private ServicePrefixLists() {}

  public static DescribePrefixListsResponse describe(DescribePrefixListsRequest request) {
    Pages<PrefixList> page =
        Pages.of(
            FILTERS.select(List.of(), request.filters()),
            PrefixList::prefixListId,
            request.prefixListIds(),
            request.nextToken(),
            request.maxResults());
    if (!request.prefixListIds().isEmpty()) {
      throw Kind.PREFIX_LIST.missing(String.join(", ", request.prefixListIds()));
    }
    Refuse.ifDryRun(request.dryRun());
    return DescribePrefixListsResponse.builder()
        .prefixLists(page.items())
        .nextToken(page.nextToken())
        .build();
  }
}
