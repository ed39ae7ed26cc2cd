package virtual

import (
	"github.com/ldirectord/ldirectord/internal/state"
)

func (v *Service) Owned() state.Service {
	return state.Service{Key: v.Service.Key, ID: v.ID, CleanStop: v.Conf.CleanStop}
}
