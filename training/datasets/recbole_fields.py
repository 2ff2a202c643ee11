"""What the fields of RecBole's atomic files are called here.

The format names types but few fields, so these are the names that published files use. Each list
is in order of preference; of several fields for one column the first that is there is taken.
"""

FIELD_TYPES = ("token", "token_seq", "float", "float_seq")

INTERACTION_FIELDS = {
    "user_id": ("user_id", "session_id", "user", "uid"),
    "item_id": (
        *("item_id", "movie_id", "business_id", "venue_id", "product_id", "tracks_id", "track_id"),
        *("news_id", "book_id", "video_id", "asin", "artist_id", "item", "iid"),
    ),
    "timestamp": ("timestamp", "time", "date", "unix_review_time"),
    "rating": ("rating", "stars", "overall"),
    "text": ("text", "review", "review_text"),
    "lat": ("lat", "latitude"),
    "lon": ("lon", "longitude"),
}
ITEM_FIELDS = {
    "item_id": INTERACTION_FIELDS["item_id"],
    "title": (
        *("title", "movie_title", "item_name", "name", "book_title", "app_name", "artist_name"),
        *("track_name", "news_title", "product_title", "venue_name"),
    ),
    "description": ("description", "desc"),
    "brand": ("brand", "author", "book_author", "artist", "developer", "manufacturer", "store"),
    "tags": ("tags", "tag", "keywords"),
    "language_code": ("language_code",),
    "created_at": ("created_at",),
    "lat": ("lat", "latitude"),
    "lon": ("lon", "longitude"),
}
# All that are there are categories, those of the broadest field first.
CATEGORY_FIELDS = (
    *("category", "categories", "subcategory", "sub_category", "genre", "genres", "class"),
    *("venue_category_name", "movie_genre"),
)
# Merged into the description, in this order.
TEXT_FIELDS = (
    *("abstract", "summary", "overview", "plot", "synopsis", "caption", "body", "content", "text"),
    *("review", "reviews"),
)
USER_FIELDS = {
    "user_id": INTERACTION_FIELDS["user_id"],
    "text": ("text", "description", "profile", "bio"),
    "tags": ("tags", "interests"),
    "language_code": ("language_code",),
    "region_code": ("region_code", "country_code", "country"),
    "group": ("group",),
}
PEOPLE_FIELDS = ("gender", "age", "occupation")
